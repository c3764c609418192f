package command

// Condition is a condition of a policy in the JSON of every command.
type Condition struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Values   []string `json:"values"`
}
