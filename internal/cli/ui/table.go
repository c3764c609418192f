package ui

import "strings"

// Table is rows of cells in aligned columns. A row may be shorter than others.
type Table struct {
	Header []string // column titles; nil: none
	Rows   [][]Span
	Indent int // columns before the first
	Gap    int // columns between two; 0 stands for 2
}

// narrowest is the width below which the last column is no longer folded.
const narrowest = 16

// Table prints t. Columns are as wide as their widest cell; on a terminal the
// last column is folded to what is left. Without a terminal each row is one
// line, for grep and diff.
func (p *Printer) Table(t Table) {
	if t.Gap == 0 {
		t.Gap = 2
	}
	rows := t.rows()
	widths := columns(rows)
	for _, row := range rows {
		p.row(row, widths, t)
	}
}

// rows returns the header and the rows, each cell reduced to one line.
func (t Table) rows() [][]Span {
	var rows [][]Span
	if t.Header != nil {
		head := make([]Span, len(t.Header))
		for i, title := range t.Header {
			head[i] = Dim(title)
		}
		rows = append(rows, head)
	}
	for _, row := range t.Rows {
		cells := make([]Span, len(row))
		for i, cell := range row {
			cells[i] = Span{inCell.Replace(cell.Text), cell.Style}
		}
		rows = append(rows, cells)
	}
	return rows
}

// inCell replaces what would end a row early or move a column.
var inCell = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// columns returns the width of each column: that of its widest cell which has
// another cell after it in its row, since only such cells are padded.
func columns(rows [][]Span) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if i < len(row)-1 {
				widths[i] = max(widths[i], Width(cell.Text))
			}
		}
	}
	return widths
}

// row prints one row; a folded last cell hangs under its own column.
func (p *Printer) row(row []Span, widths []int, t Table) {
	if len(row) == 0 {
		p.Blank()
		return
	}
	line := []Span{Plain(strings.Repeat(" ", t.Indent))}
	left := t.Indent
	last := len(row) - 1
	for i, cell := range row[:last] {
		pad := widths[i] - Width(cell.Text) + t.Gap
		line = append(line, cell, Plain(strings.Repeat(" ", pad)))
		left += widths[i] + t.Gap
	}
	cell := row[last]
	lines := []string{cell.Text}
	if room := p.width - left; room >= narrowest {
		lines = fold(cell.Text, room)
	}
	p.Line(trimRight(append(line, Span{lines[0], cell.Style}))...)
	for _, more := range lines[1:] {
		p.Line(Plain(strings.Repeat(" ", left)), Span{more, cell.Style})
	}
}

// trimRight removes the white space at a line's end.
func trimRight(line []Span) []Span {
	for len(line) > 0 {
		last := &line[len(line)-1]
		last.Text = strings.TrimRight(last.Text, " ")
		if last.Text != "" {
			break
		}
		line = line[:len(line)-1]
	}
	return line
}
