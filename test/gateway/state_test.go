package gateway

func stateScenarios() []scenario { return nil }
