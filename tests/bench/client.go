package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// throwAway is the limit: a client that reads every page and looks at nothing but the cursor at its end.
func throwAway(body []byte) (string, error) {
	const mark = `"next_cursor":"`
	i := bytes.LastIndex(body, []byte(mark))
	if i < 0 {
		return "", nil
	}
	cursor, _, _ := bytes.Cut(body[i+len(mark):], []byte(`"`))
	return string(cursor), nil
}

// decodeAll is the plain client: it decodes every page with encoding/json into any.
func decodeAll(body []byte) (string, error) {
	var page struct {
		Data       []any
		Additional struct {
			Next string `json:"next_cursor"`
		} `json:"additional_data"`
	}
	err := json.Unmarshal(body, &page)
	return page.Additional.Next, err
}

// walk reads all pages of an account and returns how long it took.
func walk(a *account, read func([]byte) (string, error)) (time.Duration, error) {
	var body bytes.Buffer
	began := time.Now()
	for cursor := ""; ; {
		url := a.url + "/api/v2/deals?" + dealsQuery
		if cursor != "" {
			url += "&cursor=" + cursor
		}
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("x-api-token", a.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err
		}
		body.Reset()
		_, err = io.Copy(&body, res.Body)
		_ = res.Body.Close()
		if err != nil {
			return 0, err
		}
		if res.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("listing deals: %s", res.Status)
		}
		if cursor, err = read(body.Bytes()); err != nil {
			return 0, err
		}
		if cursor == "" {
			return time.Since(began), nil
		}
	}
}
