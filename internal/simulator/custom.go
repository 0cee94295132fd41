package simulator

import "strconv"

// fieldType is the type of a custom field; the names are Pipedrive's.
type fieldType uint8

const (
	varchar fieldType = iota
	text_
	double
	phone
	monetary
	enum
	set
	user
	org
	date
	daterange
	timerange
	address_
)

// customFields appends the object under custom_fields, in the value forms of REST v2: null where a field has no
// value. https://pipedrive.readme.io/docs/core-api-concepts-custom-fields
func customFields(b []byte, d *draw) []byte {
	if d.opts.NoCustomFields {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for i, field := range d.objects[d.obj.fieldsOf].fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendWord(b, d.keys[d.obj.fieldsOf][i]), ':')
		d.k = rollCustom + uint64(i)
		if d.roll(d.k)>>40%4 == 0 {
			b = append(b, "null"...)
		} else {
			b = appendCustom(b, d, field)
		}
	}
	return append(b, '}')
}

// rootedFields appends `,"key":value` for each custom field that has a value: leads carry the fields of the deals,
// monetary ones in two parts.
func rootedFields(b []byte, d *draw) []byte {
	if d.opts.NoCustomFields {
		return b
	}
	for i, field := range d.objects[d.obj.fieldsOf].fields {
		d.k = rollCustom + uint64(i)
		roll := d.roll(d.k)
		if roll>>40%4 != 0 {
			continue
		}
		key := d.keys[d.obj.fieldsOf][i]
		var value, currency []byte
		switch field {
		case varchar, text_, date, double, phone, user, org:
			value = appendCustom(nil, d, field)
		case enum: // v1 writes an option as text
			value = append(appendCustom([]byte{'"'}, d, field), '"')
		case monetary:
			value = strconv.AppendUint(nil, 100+roll%9_000, 10)
			currency = []byte(`"EUR"`)
		default:
			continue
		}
		b = append(append(appendWord(append(b, ','), key), ':'), value...)
		if currency != nil {
			b = append(append(appendWord(append(b, ','), key+"_currency"), ':'), currency...)
		}
	}
	return b
}

func appendCustom(b []byte, d *draw, field fieldType) []byte {
	roll := d.roll(d.k)
	switch field {
	case varchar:
		b = appendWord(b, pick(firmWords, roll)+" "+strconv.FormatUint(roll>>32%1000, 10))
	case text_:
		b = appendWord(b, pick(sentences, roll)+" "+pick(sentences, roll>>16))
	case double:
		b = strconv.AppendFloat(b, float64(roll%100_000)/100, 'f', -1, 64)
	case phone:
		b = phoneNumber(b, roll)
	case monetary:
		b = strconv.AppendUint(append(b, `{"value":`...), 100+roll%9_000, 10)
		b = append(b, `,"currency":"EUR"}`...)
	case enum:
		b = strconv.AppendUint(b, 10+roll%8, 10)
	case set:
		b = strconv.AppendUint(append(b, '['), 30+roll%4, 10)
		b = strconv.AppendUint(append(b, ','), 34+roll>>8%4, 10)
		b = append(b, ']')
	case user:
		b = d.appendRef(b, "users", roll)
	case org:
		b = d.appendRef(b, "organizations", roll)
	case date:
		b = day(0, 300)(b, d)
	case daterange:
		b = day(0, 100)(append(b, `{"value":`...), d)
		b = day(150, 300)(append(b, `,"until":`...), d)
		b = append(b, '}')
	case timerange:
		b = append(b, `{"value":"09:00:00","until":"17:30:00","timezone_id":318,"timezone_name":"Europe/London"}`...)
	case address_:
		b = address(b, d)
	}
	return b
}
