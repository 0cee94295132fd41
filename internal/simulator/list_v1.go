package simulator

import (
	"net/url"
	"strconv"
)

func (s *Simulator) listV1(l *list, values url.Values, now stamp) []byte {
	q := readV1(l, values)
	if l.newest && s.quirks.OldestCallsFirst {
		q.desc = false
	}
	page := s.tableOf(l).page(q, now)
	body := make([]byte, 0, len(page.json)+256)
	body = append(body, `{"success":true,"data":`...)
	if page.count == 0 && s.quirks.NullData {
		body = append(body, "null"...)
	} else {
		body = append(append(append(body, '['), page.json...), ']')
	}
	switch {
	case l.paging == byOffset:
		body = append(body, `,"additional_data":`...)
		if l.flatWhen && s.quirks.FlatLeadPaging {
			body = appendPaging(body, q, page.more)
		} else {
			body = append(appendPaging(append(body, `{"pagination":`...), q, page.more), '}')
		}
	case l.companyID:
		body = strconv.AppendInt(append(body, `,"additional_data":{"company_id":`...), s.opts.CompanyID, 10)
		body = append(body, '}')
	}
	return append(body, '}')
}

// appendPaging writes where in the list the page lies; next_start only comes with more.
func appendPaging(b []byte, q *query, more bool) []byte {
	b = strconv.AppendInt(append(b, `{"start":`...), int64(q.start), 10)
	b = strconv.AppendInt(append(b, `,"limit":`...), int64(q.limit), 10)
	b = strconv.AppendBool(append(b, `,"more_items_in_collection":`...), more)
	if more {
		b = strconv.AppendInt(append(b, `,"next_start":`...), int64(q.start+q.limit), 10)
	}
	return append(b, '}')
}
