package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	hookUser, hookPassword = "hook", "hunter2"
	// hookBody is the size of a webhook of version 2.0 about a deal with a few custom fields.
	hookBody = 1100
)

// number stands for the id of the event and, shorter, of the record: each request gets its own.
const number = "0000000000"

// hookRequest is a whole request as it goes over the wire, with number where ids are.
func hookRequest(address, path string) []byte {
	body := `{"data":{"id":` + "1" + number + `,"title":"%s","value":2500.5,"currency":"EUR","status":"open","stage_id":4,"pipeline_id":1,"person_id":501,"org_id":301,"owner_id":11,"add_time":"2026-11-01T08:00:00Z","update_time":"2026-11-20T09:15:00Z","stage_change_time":"2026-11-20T09:15:00Z","custom_fields":{"a1b2c3d4e5f60718293a4b5c6d7e8f9001122334":{"type":"monetary","value":2300,"currency":"EUR"},"0f1e2d3c4b5a69788796a5b4c3d2e1f000112233":null}},"previous":{"stage_id":3},"meta":{"action":"change","entity":"deal","entity_id":"1` + number + `","company_id":"12345","id":"5f0e6a10-0000-4000-8000-00` + number + `","correlation_id":"7b21c3d4-0000-4000-8000-000000000002","is_bulk_edit":false,"timestamp":"2026-11-20T09:15:00.426Z","type":"general","user_id":"11","version":"2.0","webhook_id":"1900001","webhook_owner_id":"11","change_source":"app","permitted_user_ids":["11","12"],"attempt":1,"host":"acme-sandbox.pipedrive.com"}}`
	body = fmt.Sprintf(body, strings.Repeat("x", hookBody+len("%s")-len(body)))
	basic := base64.StdEncoding.EncodeToString([]byte(hookUser + ":" + hookPassword))
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Pipedrive Webhooks\r\nContent-Type: application/json\r\nAccept: application/json, text/plain, */*\r\nAuthorization: Basic %s\r\nContent-Length: %d\r\n\r\n%s",
		path, address, basic, len(body), body)
}

// caller is one persistent connection with its request: all that it does for another one is to write another number.
type caller struct {
	conn    net.Conn
	request []byte
	ids     []int // where the numbers begin
	answer  []byte
}

func call(address, path string) (*caller, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &caller{conn: conn, request: hookRequest(address, path), answer: make([]byte, 4096)}
	for from := 0; ; {
		i := bytes.Index(c.request[from:], []byte(number))
		if i < 0 {
			return c, nil
		}
		c.ids = append(c.ids, from+i)
		from += i + len(number)
	}
}

// post sends the request with a number and reads an answer without a body.
func (c *caller) post(n int) error {
	digits := strconv.Itoa(n)
	for _, at := range c.ids {
		copy(c.request[at+len(number)-len(digits):], digits)
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	for read := 0; ; {
		if read == len(c.answer) {
			return errors.New("the answer is too long")
		}
		n, err := c.conn.Read(c.answer[read:])
		read += n
		switch {
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case !bytes.HasSuffix(c.answer[:read], []byte("\r\n\r\n")):
		case !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 200")):
			return fmt.Errorf("answered %.20q", c.answer[:read])
		default:
			return nil
		}
	}
}

// load posts over so many connections at once, as fast as they are answered, and returns how many were, in what time.
func load(ctx context.Context, address, path string, connections, first int, d time.Duration) (answered int, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	counts, errs := make([]int, connections), make([]error, connections)
	var callers sync.WaitGroup
	began := time.Now()
	for i := range connections {
		c, err := call(address, path)
		if err != nil {
			return 0, 0, err
		}
		callers.Go(func() {
			defer c.conn.Close()
			for ctx.Err() == nil && errs[i] == nil {
				errs[i] = c.post(first + i + counts[i]*connections)
				counts[i]++
			}
		})
	}
	callers.Wait()
	took = time.Since(began)
	for _, n := range counts {
		answered += n
	}
	return answered, took, errors.Join(errs...)
}

// steady posts so many requests a second and returns how long the slowest hundredth waited, counted from when each was
// due: a slow answer delays those behind it, and that counts.
func steady(ctx context.Context, address, path string, connections, perSecond int, d time.Duration) (p99 time.Duration, err error) {
	gap := time.Second * time.Duration(connections) / time.Duration(perSecond)
	each := int(d / gap)
	took, errs := make([][]time.Duration, connections), make([]error, connections)
	var callers sync.WaitGroup
	began := time.Now()
	for i := range connections {
		c, err := call(address, path)
		if err != nil {
			return 0, err
		}
		callers.Go(func() {
			defer c.conn.Close()
			for n := range each {
				due := began.Add(gap*time.Duration(n) + gap*time.Duration(i)/time.Duration(connections))
				pause(ctx, time.Until(due))
				if errs[i] = c.post(1_000_000_000 + i + n*connections); errs[i] != nil {
					return
				}
				took[i] = append(took[i], time.Since(due))
			}
		})
	}
	callers.Wait()
	all := slices.Concat(took...)
	if err := errors.Join(errs...); err != nil || len(all) == 0 {
		return 0, errors.Join(err, errors.New("nothing was answered"))
	}
	slices.Sort(all)
	return all[len(all)*99/100], nil
}
