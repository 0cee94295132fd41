package simulator

import (
	"strconv"

	"github.com/tidwall/gjson"
)

// fieldType is the type of a custom field, in Pipedrive's words.
// https://pipedrive.readme.io/docs/core-api-concepts-custom-fields
type fieldType string

const (
	varchar     fieldType = "varchar"
	varcharAuto fieldType = "varchar_auto"
	text_       fieldType = "text"
	double      fieldType = "double"
	phone       fieldType = "phone"
	monetary    fieldType = "monetary"
	enum        fieldType = "enum"
	set         fieldType = "set"
	user        fieldType = "user"
	org         fieldType = "org"
	people      fieldType = "people"
	date        fieldType = "date"
	daterange   fieldType = "daterange"
	timeOfDay   fieldType = "time"
	timerange   fieldType = "timerange"
	address_    fieldType = "address"
)

// customTypes are all that an account can make fields of.
var customTypes = []fieldType{
	varchar, varcharAuto, text_, double, phone, monetary, enum, set, user, org, people, date, daterange, timeOfDay,
	timerange, address_,
}

// The one time zone of this account.
const (
	zoneID   = "318"
	zoneName = `"Europe/London"`
)

// customFields appends the object under custom_fields, in the value forms of REST v2. Of the fields that have no value
// most are null and some are not there.
func customFields(b []byte, d *draw) []byte {
	fields := d.definitions[d.obj.fieldsOf].ours
	if len(fields) == 0 { // nobody has defined one
		return append(b, "null"...)
	}
	b = append(b, '{')
	first := true
	for _, f := range fields {
		d.k = f.roll
		roll := d.roll(d.k) >> 40
		if !f.late && roll%16 == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendWord(b, f.key), ':')
		if f.late || roll%4 == 0 {
			b = append(b, "null"...)
		} else {
			b = appendCustom(b, d, f)
		}
	}
	return append(b, '}')
}

// rootedFields appends `,"key":value` for each custom field that has a value: leads carry the fields of the deals, as
// v1 writes them.
func rootedFields(b []byte, d *draw) []byte {
	for _, f := range d.definitions[d.obj.fieldsOf].ours {
		d.k = f.roll
		if f.late || d.roll(d.k)>>40%4 != 0 {
			continue
		}
		value := gjson.ParseBytes(appendCustom(nil, d, f))
		if value.Type == gjson.Null {
			continue
		}
		f.kind.spread(f.key, value, func(name, json string) {
			b = append(append(appendWord(append(b, ','), name), ':'), json...)
		})
	}
	return b
}

func appendCustom(b []byte, d *draw, f *definition) []byte {
	roll := d.roll(d.k)
	switch f.kind {
	case varchar, varcharAuto:
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
		b = strconv.AppendInt(b, f.drawn[roll%uint64(len(f.drawn))], 10)
	case set: // one of the first half, one of the second
		half := len(f.drawn) / 2
		b = strconv.AppendInt(append(b, '['), f.drawn[roll%uint64(half)], 10)
		b = strconv.AppendInt(append(b, ','), f.drawn[half+int(roll>>8%uint64(half))], 10)
		b = append(b, ']')
	case user:
		b = d.appendRef(b, "users", roll)
	case org:
		b = d.appendRef(b, "organizations", roll)
	case people:
		b = d.appendRef(b, "persons", roll)
	case date:
		b = day(0, 300)(b, d)
	case daterange:
		b = day(0, 100)(append(b, `{"value":`...), d)
		b = day(150, 300)(append(b, `,"until":`...), d)
		b = append(b, '}')
	case timeOfDay:
		b = append(b, `{"value":"`+pick([]string{"07:45:00", "09:00:00", "16:30:00"}, roll)+`"`...)
		b = append(b, `,"timezone_id":`+zoneID+`,"timezone_name":`+zoneName+`}`...)
	case timerange:
		b = append(b, `{"value":"09:00:00","until":"17:30:00","timezone_id":`+zoneID+`,"timezone_name":`+zoneName+`}`...)
	case address_:
		b = address(b, d)
	}
	return b
}
