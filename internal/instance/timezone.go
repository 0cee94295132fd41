package instance

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// javaZones are the short names that Java knows and the time zone database does not, or knows as something else.
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/ZoneId.html#SHORT_IDS
var javaZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo",
	"AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare",
	"CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa",
	"ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata", "JST": "Asia/Tokyo",
	"MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi",
	"PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal",
	"VST": "Asia/Ho_Chi_Minh", "EST": "Etc/GMT+5", "MST": "Etc/GMT+7", "HST": "Etc/GMT+10",
	"GMT": "UTC", "UTC": "UTC", "Z": "UTC",
}

var zoneOffset = regexp.MustCompile(`^(?:GMT|UTC)?([+-])(\d{1,2})(?::?00)?$`)

// ianaZone is the name that the time zone database has for a zone as Java writes it.
func ianaZone(said string) (string, bool) {
	if name, short := javaZones[strings.ToUpper(said)]; short {
		return name, true
	}
	if offset := zoneOffset.FindStringSubmatch(said); offset != nil {
		hours := strings.TrimLeft(offset[2], "0")
		if hours == "" {
			return "UTC", true
		}
		// The names of these zones count westward.
		said = fmt.Sprintf("Etc/GMT%s%s", map[string]string{"+": "-", "-": "+"}[offset[1]], hours)
	}
	_, err := time.LoadLocation(said)
	return said, err == nil && said != "" && said != "Local"
}
