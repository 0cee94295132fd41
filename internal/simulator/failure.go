package simulator

import (
	"fmt"
	"net/http"
)

// failure is an answer that is not 2xx: a status and a body.
type failure struct {
	status int
	body   string
}

// The frames around an error text. https://pipedrive.readme.io/docs/core-api-concepts-http-status-codes
const (
	gatewayFrame = `{"success":false,"error":"%s","errorCode":%d,"error_info":"Please check developers.pipedrive.com"}`
	v2Frame      = `{"success":false,"error":"%s","error_info":"Please check developers.pipedrive.com","data":null,"additional_data":null}`
	invalidFrame = `{"success":false,"error":%s,"error_info":"Please check developers.pipedrive.com",` +
		`"code":"ERR_SCHEMA_VALIDATION_FAILED","data":null,"additional_data":null}`
	v1Frame = `{"success":false,"error":"%s","error_info":"Please check developers.pipedrive.com for more information about Pipedrive API.",` +
		`"data":null,"additional_data":null}`
)

func gateway(status int, text string) failure {
	return failure{status, fmt.Sprintf(gatewayFrame, text, status)}
}

func standard(status int, text string) failure {
	return failure{status, fmt.Sprintf(v2Frame, text)}
}

// invalid is v2's refusal of a parameter.
func invalid(format string, args ...any) *failure {
	return &failure{http.StatusBadRequest, fmt.Sprintf(invalidFrame, appendJSON(nil, fmt.Sprintf(format, args...)))}
}

func v1Missing(what string) failure {
	return failure{http.StatusNotFound, fmt.Sprintf(v1Frame, what+" not found")}
}

var (
	unauthorized = gateway(http.StatusUnauthorized, "unauthorized access")
	scopeRefused = gateway(http.StatusForbidden, "Scope and URL mismatch")
	burstSpent   = gateway(http.StatusTooManyRequests, "request over limit")
	dailySpent   = gateway(http.StatusTooManyRequests, "daily request budget exceeded")

	noEntity = standard(http.StatusNotFound, "Entity was not found")
	noPath   = standard(http.StatusNotFound, "Not found")
	noMethod = standard(http.StatusMethodNotAllowed, "Method not allowed")
	noV1Path = failure{http.StatusNotFound, `{"status":false,"error":"Unknown method ."}`}
	noLead   = failure{http.StatusNotFound, `{"success":false,"error":"requested lead not found","error_info":"Object was not found.","data":null,"additional_data":null}`}
	noUser   = failure{http.StatusNotFound, `{"success":false,"error":"User not found or not accessible."}`}
)

// blockedPage is what Cloudflare shows instead of the API.
const blockedPage = `<!DOCTYPE html>
<html lang="en-US">
<head><title>Access denied | api.pipedrive.com used Cloudflare to restrict access</title></head>
<body>
<h1><span>Error</span> <span>1015</span></h1>
<h2>You are being rate limited</h2>
<p>The owner of this website (api.pipedrive.com) has banned you temporarily from accessing this website.</p>
<p>Performance &amp; security by Cloudflare</p>
</body>
</html>
`
