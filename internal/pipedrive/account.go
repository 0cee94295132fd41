package pipedrive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// Account is whom the credential belongs to.
type Account struct {
	CompanyID   string
	CompanyName string
	Host        string    // of the company: acme.pipedrive.com
	UserID      string    //
	ServerTime  time.Time // what the server's clock said when it was asked; zero: there was no Date header
}

// Me asks whom the credential belongs to, and counts what it spends into that company's budget from now on.
// https://developers.pipedrive.com/docs/api/v1/Users#getCurrentUser
func (c *Client) Me(ctx context.Context) (Account, error) {
	const tokens = 2
	r, err := c.get(ctx, call{"me", tokens}, "/v1/users/me", "")
	if err != nil {
		return Account{}, fmt.Errorf("reading the account: %w", err)
	}
	a, err := readAccount(r.body)
	if err != nil {
		return Account{}, fmt.Errorf("reading the account: %w", garbled(r.Answer, err))
	}
	a.ServerTime = r.at
	c.shared.join(c.cred, a.CompanyID)
	return a, nil
}

func readAccount(body []byte) (Account, error) {
	if err := sound(body); err != nil {
		return Account{}, err
	}
	frame := gjson.ParseBytes(body)
	if frame.Get("success").Type != gjson.True {
		return Account{}, errors.New("success is not true")
	}
	// Raw keeps an id of any length exact.
	a := Account{
		CompanyID:   strings.Trim(frame.Get("data.company_id").Raw, `"`),
		CompanyName: frame.Get("data.company_name").String(),
		UserID:      strings.Trim(frame.Get("data.id").Raw, `"`),
	}
	if !isID([]byte(a.CompanyID)) {
		return Account{}, errors.New("there is no company_id")
	}
	if domain := frame.Get("data.company_domain").String(); domain != "" {
		a.Host = domain + ".pipedrive.com"
	}
	return a, nil
}
