package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"strings"
)

const (
	stsNamespace   = "https://sts.amazonaws.com/doc/2011-06-15/"
	stsVersion     = "2011-06-15"
	requestIDPlace = "REQUEST-ID-GOES-HERE" // replaced by dress
)

// stsStatuses are the statuses of STS's common errors (STS API reference, Common Errors); others are 400.
var stsStatuses = map[string]int{
	"AccessDenied":               403,
	"ExpiredToken":               403,
	"IncompleteSignature":        400,
	"InternalFailure":            500,
	"InvalidClientTokenId":       403,
	"MissingAuthenticationToken": 403,
	"ServiceUnavailable":         503,
	"SignatureDoesNotMatch":      403,
	"Throttling":                 400,
}

// getCallerIdentity answers Action=GetCallerIdentity for credentials this emulator handed out.
func (s *Server) getCallerIdentity(c *call) reply {
	if v := stsParams(c.r, c.body).Get("Version"); v != stsVersion {
		return stsError("InvalidAction", fmt.Sprintf("Could not find operation GetCallerIdentity for version %s", or(v,
			"NO_VERSION_SPECIFIED")))
	}
	rc, code, text := s.verifySignature(c)
	if code != "" {
		return stsError(code, text)
	}
	c.log.User, c.log.Account, c.log.Role = rc.user, rc.account, rc.role
	sum := sha256.Sum256([]byte(rc.account + "/" + rc.role))
	arn := fmt.Sprintf("arn:%s:sts::%s:assumed-role/AWSReservedSSO_%s_%s/%s", partition(s.region()), rc.account,
		rc.role,
		hex.EncodeToString(sum[:8]), rc.user)
	id := []byte("AROA")
	for _, b := range sum[8:25] {
		id = append(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[b%32])
	}
	return xmlReply(200, "<GetCallerIdentityResponse xmlns=\""+stsNamespace+"\">\n"+
		"  <GetCallerIdentityResult>\n"+
		"    <Arn>"+escapeXML(arn)+"</Arn>\n"+
		"    <UserId>"+escapeXML(string(id)+":"+rc.user)+"</UserId>\n"+
		"    <Account>"+escapeXML(rc.account)+"</Account>\n"+
		"  </GetCallerIdentityResult>\n"+
		"  <ResponseMetadata>\n    <RequestId>"+requestIDPlace+"</RequestId>\n  </ResponseMetadata>\n"+
		"</GetCallerIdentityResponse>\n")
}

// unknownAction answers any other Action.
func (s *Server) unknownAction(c *call) reply {
	v := stsParams(c.r, c.body)
	if v.Get("Action") == "" {
		return stsError("MissingAction", "Missing Action")
	}
	return stsError("InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", v.Get("Action"),
		or(v.Get("Version"), "NO_VERSION_SPECIFIED")))
}

func stsError(code, text string) reply {
	status := or(stsStatuses[code], 400)
	kind := "Sender"
	if status >= 500 {
		kind = "Receiver"
	}
	rep := xmlReply(status, "<ErrorResponse xmlns=\""+stsNamespace+"\">\n"+
		"  <Error>\n"+
		"    <Type>"+kind+"</Type>\n"+
		"    <Code>"+escapeXML(code)+"</Code>\n"+
		"    <Message>"+escapeXML(text)+"</Message>\n"+
		"  </Error>\n"+
		"  <RequestId>"+requestIDPlace+"</RequestId>\n"+
		"</ErrorResponse>\n")
	rep.errTyp = code
	return rep
}

func xmlReply(status int, body string) reply {
	rep := reply{status: status, body: []byte(body)}
	rep.set("Content-Type", "text/xml")
	return rep
}

// escapeXML makes s fit for the text of an element. (encoding/xml does as much, but costs every start of a program
// that this package is linked into 18 kB of entities.)
func escapeXML(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return '\ufffd' // XML 1.0 2.2 has no way to write these
		}
		return r
	}, s))
}

// partition is the second part of an ARN in the region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}
