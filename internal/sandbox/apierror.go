package sandbox

import (
	"fmt"
	"net/http"
)

// apiError is a refusal in AWS's words.
type apiError struct {
	Status  int // HTTP
	Code    string
	Message string
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// The errors of IAM. https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html

func noSuchEntity(format string, args ...any) error {
	return &apiError{http.StatusNotFound, "NoSuchEntity", fmt.Sprintf(format, args...)}
}

func alreadyExists(format string, args ...any) error {
	return &apiError{http.StatusConflict, "EntityAlreadyExists", fmt.Sprintf(format, args...)}
}

func deleteConflict(message string) error {
	return &apiError{http.StatusConflict, "DeleteConflict", message}
}

func limitExceeded(format string, args ...any) error {
	return &apiError{http.StatusConflict, "LimitExceeded", fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "ValidationError", fmt.Sprintf(format, args...)}
}

func invalidInput(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, "InvalidInput", fmt.Sprintf(format, args...)}
}

func malformedPolicy(message string) error {
	return &apiError{http.StatusBadRequest, "MalformedPolicyDocument", message}
}
