package ui

import (
	"fmt"
	"strings"
)

// Plural is a number with its noun.
func Plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", one)
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Few lists the first of many.
func Few(list []string) string {
	const most = 3
	if len(list) <= most {
		return strings.Join(list, " | ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], " | "), len(list)-most)
}
