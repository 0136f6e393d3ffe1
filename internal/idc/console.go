package idc

import (
	"net/url"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// ConsolePage is a page of the AWS console. The zero value is the page that the portal itself leads to: the relay
// state of the permission set, or the console's home.
type ConsolePage struct {
	Region string // where the service is looked at; "" leaves it to the console
	// Service is the console's name of a service ("s3"), or the AWS CLI's where that is another ("dynamodb").
	Service string
	// Page is an address in the console, or a path there ("/s3/buckets/x"), to which the region is added where it
	// names none.
	Page string
}

// consoleNames are the services that the console calls otherwise than the AWS CLI does.
var consoleNames = map[string]string{
	"dynamodb": "dynamodbv2", "identitystore": "singlesignon", "kafka": "msk", "logs": "cloudwatch",
	"mq": "amazon-mq", "opensearch": "aos",
	"ssm": "systems-manager", "sso": "singlesignon", "sso-admin": "singlesignon", "stepfunctions": "states",
}

// ConsoleLink returns the portal's own link to the console as a role, the one that its button "Create shortcut" makes
// (https://docs.aws.amazon.com/singlesignon/latest/userguide/createshortcutlink.html). There is no secret in it: who
// follows it signs in first. A vanity start URL keeps its host, and the redirect behind it keeps the fragment (RFC
// 9110, 10.2.2). destination is "" or from ConsolePage.Address.
func ConsoleLink(startURL, accountID, roleName, destination string) (string, error) {
	if err := ValidStartURL(startURL); err != nil {
		return "", err
	}
	if host := hostOf(startURL); host == "identitycenter.amazonaws.com" ||
		strings.HasPrefix(host, "identitycenter.") && AWSHost(startURL) {
		return "", fault.New(fault.Config,
			"set sso_start_url to the address of the access portal, such as "+startURLExample,
			"%s names an instance and is no address that a browser can open", quote(startURL))
	}
	base, _, _ := strings.Cut(startURL, "#")
	u, err := url.Parse(base)
	if err != nil {
		return "", err // ValidStartURL has parsed it
	}
	switch path := u.EscapedPath(); {
	case u.RawQuery != "":
	case path == "":
		base = strings.TrimSuffix(base, "?") + "/"
	case strings.HasSuffix(path, "/start"): // /directory/ID, of other partitions, has no slash behind it
		base = strings.TrimSuffix(base, "?") + "/"
	}
	link := base + "#/console?account_id=" + component(accountID) + "&role_name=" + component(roleName)
	if destination != "" {
		link += "&destination=" + component(destination)
	}
	return link, nil
}

// component escapes a text as encodeURIComponent does: a space is %20, since not everybody reads + as one.
func component(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// Address returns the page's address for the partition that ssoRegion is in, "" for the zero value. It refuses what
// is not in that partition's console: a link of the portal should not lead a person anywhere else. Every error is a
// *fault.Error of kind Usage.
func (p ConsolePage) Address(ssoRegion string) (string, error) {
	if p.Region != "" && !isRegion(p.Region) {
		return "", fault.New(fault.Usage, "add the flag: --region eu-west-1, or the one you mean",
			"%s is not a region", quote(p.Region))
	}
	console := "console." + partitionOf(ssoRegion).web
	if p.Region != "" && partitionOf(p.Region) != partitionOf(ssoRegion) {
		return "", fault.New(fault.Usage, "add the flag: --region with a region of that partition",
			"region %s is not in the partition of %s, where the session is", quote(p.Region), quote(ssoRegion))
	}
	switch {
	case strings.Contains(p.Page, "://"):
		return p.Page, inConsole(p.Page, console)
	case p.Page != "":
		return p.page(console)
	case p.Service != "":
		return p.service(console)
	case p.Region != "":
		return p.home(console, "console"), nil
	}
	return "", nil
}

func (p ConsolePage) service(console string) (string, error) {
	for name := range strings.SplitSeq(p.Service, "/") {
		if !hostLabel(name) {
			return "", fault.New(fault.Usage,
				"name it as the console's address does, such as s3; or add: --destination ADDRESS",
				"%s is not the name of a service", quote(p.Service))
		}
	}
	path := p.Service
	if name, ok := consoleNames[path]; ok {
		path = name
	}
	return p.home(console, path), nil
}

func (p ConsolePage) home(console, path string) string {
	address := p.origin(console) + "/" + path + "/home"
	if p.Region != "" {
		address += "?region=" + p.Region
	}
	return address
}

func (p ConsolePage) origin(console string) string {
	if p.Region != "" {
		return "https://" + p.Region + "." + console
	}
	return "https://" + console
}

// page completes a path. It stays as it was typed: the console encodes its fragments in ways of its own.
func (p ConsolePage) page(console string) (string, error) {
	first, _, _ := strings.Cut(p.Page, "/")
	if strings.ContainsAny(first, ".:@") { // a host, or another scheme
		return "", notAPage(p.Page, "is neither an https address nor a path")
	}
	rest, fragment, hasFragment := strings.Cut(p.Page, "#")
	path, query, _ := strings.Cut(rest, "?")
	if values, err := url.ParseQuery(query); p.Region != "" && (err != nil || !values.Has("region")) {
		query = strings.TrimPrefix(query+"&region="+p.Region, "&")
	}
	address := p.origin(console) + "/" + strings.TrimLeft(path, "/")
	if query != "" {
		address += "?" + query
	}
	if hasFragment {
		address += "#" + fragment
	}
	return address, inConsole(address, console)
}

// inConsole refuses an address that is not on the host console or below it.
func inConsole(address, console string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || !plain.IsLine(address) || strings.ContainsAny(address, " \\"):
		return notAPage(address, "is not an address")
	case u.User != nil:
		return fault.New(
			fault.Usage,
			"give an address such as https://"+console+"/s3/home",
			"the destination must not hold a user name",
		)
	case u.Scheme != "https":
		return notAPage(address, "does not begin with https://")
	case u.Port() != "" && u.Port() != "443":
		return notAPage(address, "names a port")
	}
	before, inside := strings.CutSuffix("."+strings.ToLower(u.Hostname()), "."+console)
	for label := range strings.SplitSeq(strings.TrimPrefix(before, "."), ".") {
		inside = inside && (before == "" || hostLabel(label))
	}
	if !inside {
		return fault.New(fault.Usage, "give an address such as https://"+console+"/s3/home",
			"the destination %s is not in the console that the session's accounts have, %s", quote(address), console)
	}
	return nil
}

func notAPage(page, why string) error {
	return fault.New(fault.Usage, "give an https address of the console, or a path such as /s3/home",
		"the destination %s %s", quote(page), why)
}
