package idc

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// startURLExample is what hints show.
const startURLExample = "https://d-1234567890.awsapps.com/start"

// ValidStartURL returns why s cannot be a start URL: it must be https, or http to this machine, as an emulator is.
// Every other form passes, a trailing slash or "#" included; only the service knows which it serves. The error is of
// kind Config.
func ValidStartURL(s string) error {
	var reason string
	u, err := url.Parse(s)
	switch {
	case s == "":
		return fault.New(fault.Config, "give the URL of the AWS access portal, such as "+startURLExample,
			"the start URL is empty")
	case err != nil || !plain.IsLine(s) || strings.Contains(s, " "):
		reason = "is not a URL"
	case u.User != nil:
		// Not repeated: it may hold a password.
		return fault.New(fault.Config, "it looks like "+startURLExample, "the start URL must not hold a user name")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		reason = "must begin with https://"
	case u.Hostname() == "":
		reason = "names no host"
	default:
		return nil
	}
	return fault.New(fault.Config, "check sso_start_url; it looks like "+startURLExample, "the start URL %s %s",
		quote(s), reason)
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// portalHosts are the start URLs that name their region: {instance} prefix {region} suffix.
var portalHosts = []struct {
	prefix, suffix string
	dualStack      bool
}{
	{".portal.", ".app.aws", true},
	{".portal.", ".app.amazonwebservices.com.cn", true},
	{".portal.", ".api.amazonwebservices.eu", true},
	{".portal.", ".app.amazonwebservices.eu", true},
	{".", ".portal.amazonaws.com", false},
	{".", ".portal.amazonaws.com.cn", false},
	{".", ".portal.amazonaws.eu", false},
}

// awsHosts are the domains under which AWS serves start URLs; identitycenter.… are issuers and have no address.
var awsHosts = []string{
	"awsapps.com", "awsapps.cn", "app.aws", "app.amazonwebservices.com.cn", "api.amazonwebservices.eu",
	"app.amazonwebservices.eu",
	"portal.amazonaws.com", "portal.amazonaws.com.cn", "portal.amazonaws.eu",
	"identitycenter.amazonaws.com", "identitycenter.amazonaws.com.cn", "identitycenter.amazonaws.eu",
	"identitycenter.us-gov.amazonaws.com",
}

// hostOf returns the host of a start URL in lower case without a final dot, "" when it has none.
func hostOf(startURL string) string {
	u, err := url.Parse(startURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// RegionOf returns the region that the host of a start URL names, "" when it names none. Most do not: only the forms
// that came in 2026 do.
func RegionOf(startURL string) string {
	region, _ := parsePortalHost(hostOf(startURL))
	return region
}

// dualStack reports whether a start URL is the dual-stack form.
func dualStack(startURL string) bool {
	_, dual := parsePortalHost(hostOf(startURL))
	return dual
}

func parsePortalHost(host string) (region string, dual bool) {
	for _, form := range portalHosts {
		rest, ok := strings.CutSuffix(host, form.suffix)
		if !ok {
			continue
		}
		instance, region, ok := strings.Cut(rest, form.prefix)
		if ok && hostLabel(instance) && isRegion(region) {
			return region, form.dualStack
		}
	}
	return "", false
}

// isRegion reports whether s has the shape of a region: words and a number, such as us-gov-west-1.
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	if !hostLabel(s) || len(words) < 3 {
		return false
	}
	_, err := strconv.ParseUint(words[len(words)-1], 10, 8)
	return err == nil && len(words[0]) >= 2
}

// AWSHost reports whether AWS serves the start URL itself, in any partition. Other hosts are an organisation's own
// and lead there by a redirect.
func AWSHost(startURL string) bool {
	host := hostOf(startURL)
	for _, domain := range awsHosts {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}

// vanityTimeout bounds the look at an organisation's own start URL. The AWS CLI waits ten seconds and then fails;
// here nothing fails, so waiting as long is not worth it.
const vanityTimeout = 5 * time.Second

// ResolveVanity returns the AWS start URL to which an organisation's own redirects, or startURL unchanged: when it is
// AWS's already or this machine's, when nothing answers, and when what answers does not lead to AWS. One redirect is
// followed, as by the AWS CLI. The result serves requests; files and messages keep the configured URL.
func ResolveVanity(ctx context.Context, hc *http.Client, startURL string) string {
	from, err := url.Parse(startURL)
	if err != nil || from.Scheme != "https" || ValidStartURL(startURL) != nil || loopback(from.Hostname()) ||
		AWSHost(startURL) {
		return startURL
	}
	ctx, cancel := context.WithTimeout(ctx, vanityTimeout)
	defer cancel()
	client := http.Client{}
	if hc != nil {
		client = *hc
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	status, location := look(ctx, &client, http.MethodHead, startURL)
	if status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented {
		status, location = look(ctx, &client, http.MethodGet, startURL)
	}
	switch status {
	case http.StatusMovedPermanently,
		http.StatusFound,
		http.StatusSeeOther,
		http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
	default:
		return startURL
	}
	to, err := from.Parse(location)
	if err != nil || !AWSHost(to.String()) || ValidStartURL(to.String()) != nil {
		return startURL
	}
	// As the AWS CLI sends it: without port 443, trailing slashes, query and fragment.
	host := strings.TrimSuffix(to.Host, ":443")
	return "https://" + host + strings.TrimRight(to.EscapedPath(), "/")
}

// look asks for a page and returns the status and the Location of the answer, 0 when there is none.
func look(ctx context.Context, hc *http.Client, method, page string) (status int, location string) {
	req, err := http.NewRequestWithContext(ctx, method, page, nil)
	if err != nil {
		return 0, ""
	}
	resp, err := hc.Do(req)
	if err != nil {
		return 0, ""
	}
	_ = resp.Body.Close() // nothing of it is wanted
	return resp.StatusCode, resp.Header.Get("Location")
}

// quote makes a stranger's text fit to stand in a message.
func quote(s string) string { return strconv.Quote(plain.Line(s, 200)) }
