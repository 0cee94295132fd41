package pipedrive

import (
	"bytes"
	"errors"

	"github.com/tidwall/gjson"
)

// maxBrackets bounds the recursion of the check below, whatever the text. A page of 500 records has some 20,000.
const maxBrackets = 1_000_000

// sound refuses what is not one whole JSON object, as every answer of Pipedrive is: an answer that was cut, too.
func sound(body []byte) error {
	switch {
	case !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")):
		return errors.New("not a JSON object")
	case bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) > maxBrackets:
		return errors.New("nested too deep")
	case !gjson.ValidBytes(body):
		return errors.New("not JSON, or not all of it")
	}
	return nil
}
