package cursor

import (
	"encoding/json"
	"fmt"
	"time"
)

// Books is what the checkpoint holds beside the positions: whose it is, and what was spent of the daily budget, so
// that a restart does not begin a new share.
type Books struct {
	Version int `json:"v"`
	Account
	Spent  int64     `json:"spent_tokens"`
	Resets time.Time `json:"budget_resets,omitzero"` // the end of the budget day of Spent
}

// Encode writes the stored form.
func (b Books) Encode() ([]byte, error) {
	b.Version = Version
	return json.Marshal(b)
}

// DecodeBooks reads the stored form, with the same care as Decode.
func DecodeBooks(stored []byte) (Books, error) {
	if err := checkVersion(stored); err != nil {
		return Books{}, err
	}
	var b Books
	if err := json.Unmarshal(stored, &b); err != nil {
		return Books{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return b, nil
}
