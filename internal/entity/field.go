package entity

// Field is the definition of one custom field of an account: what its key is called.
// https://pipedrive.readme.io/docs/core-api-concepts-custom-fields
type Field struct {
	Key     string            // 40 hex characters, fixed for ever
	Name    string            // what people call it; may change, need not be unique
	Type    string            // varchar, enum, set, monetary, time, ... as Pipedrive writes it
	Options map[string]string // of enum and set: option id as text -> label
}
