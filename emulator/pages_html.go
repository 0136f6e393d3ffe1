package emulator

import (
	"html"
	"strings"
)

// markup is HTML that needs no further escaping. A constant is trusted; a variable comes in through text alone, for
// the compiler lets no string variable pass as markup.
type markup string

// text escapes s for element content and quoted attribute values.
func text(s string) markup { return markup(html.EscapeString(s)) }

// fill replaces each {{name}} of tmpl by the value that follows the name in pairs. It goes through tmpl once, so what
// stands in a value is never expanded.
func fill(tmpl markup, pairs ...markup) markup {
	oldnew := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		oldnew = append(oldnew, "{{"+string(pairs[i])+"}}", string(pairs[i+1]))
	}
	return markup(strings.NewReplacer(oldnew...).Replace(string(tmpl)))
}

// when returns m if ok, else nothing.
func when(ok bool, m markup) markup {
	if ok {
		return m
	}
	return ""
}

const documentHTML markup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{{title}} - {{brand}}</title>
<link rel="icon" href="data:,">
<style>{{style}}</style>
</head>
<body class="{{look}}" data-page="{{page}}">
<header><p class="brand"><span class="mark" aria-hidden="true"></span>{{brand}}</p></header>
<main>
<h1>{{title}}</h1>
{{body}}
</main>
<footer><p><small>{{small}}</small></p></footer>
</body>
</html>
`

// document puts body into the frame that all pages share. page names it for machines: tests and Person tell the pages
// apart by it.
func document(page, title, body markup) markup {
	brand, look := markup("Access portal"), markup("portal")
	small := markup("This page belongs to the homing emulator, a test double of AWS IAM Identity Center. It is not " +
		"AWS, and nothing you enter here reaches AWS.")
	if page == pageSignIn {
		brand, look = "Example Identity Provider", "idp"
		small = "This page belongs to the homing emulator and plays a company&rsquo;s identity provider. It is " +
			"neither a real one nor AWS: do not type a real password."
	}
	return fill(documentHTML, "title", title, "brand", brand, "look", look, "page", page, "style", markup(styleSheet),
		"body", body, "small", small)
}

// The names of the pages, in the attribute data-page of the body element.
const (
	pageSignIn   markup = "sign-in"
	pageDevice   markup = "device"
	pageConsent  markup = "consent"
	pageApproved markup = "approved"
	pageDenied   markup = "denied"
	pageError    markup = "error"
	pagePortal   markup = "portal"
)

// alert is the message above a form that was refused. Screen readers read it out because of its role.
func alert(message string) markup {
	if message == "" {
		return ""
	}
	return fill(`<p class="alert" role="alert" id="problem"><strong>Error:</strong> {{message}}</p>
`, "message", text(message))
}

// invalid marks a field as the one that the alert is about.
func invalid(message string) markup {
	return when(message != "", ` aria-invalid="true" aria-describedby="problem"`)
}

func hidden(name, value string) markup {
	return fill(`<input type="hidden" name="{{name}}" value="{{value}}">
`, "name", text(name), "value", text(value))
}

const signInHTML markup = `<p>Use the account of your organisation.</p>
{{alert}}<form method="post" action="{{action}}">
{{hidden}}<div class="field">
<label for="username">User name</label>
<input id="username" name="username" type="text" value="{{user}}" required autocomplete="username" autocapitalize="none" spellcheck="false"{{focus}}{{invalid}}>
</div>
<div class="field">
<label for="password">Password <span class="quiet">(optional here)</span></label>
<input id="password" name="password" type="password" autocomplete="current-password">
</div>
<div class="actions"><button type="submit" class="primary">Sign in</button></div>
</form>`

func (p signInPage) html() markup {
	return document(pageSignIn, "Sign in", fill(signInHTML,
		"alert", alert(p.Error),
		"action", text(p.Action),
		"hidden", hidden(fieldCSRF, p.CSRF)+hidden(fieldRequest, p.Request),
		"user", text(p.UserName),
		"focus", when(p.UserName == "" || p.Error != "", " autofocus"),
		"invalid", invalid(p.Error)))
}

func (p signInPage) nextOrigins() []string { return p.Next }

const deviceHTML markup = `{{lead}}
{{alert}}<form method="post" action="{{action}}">
{{hidden}}<div class="field">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" type="text" class="code" value="{{code}}" required autocomplete="off" autocapitalize="characters" spellcheck="false" placeholder="XXXX-XXXX"{{focus}}{{invalid}}>
</div>
<p class="note">Go on only if you started this yourself and the code comes from your own terminal. A code that somebody sent you would sign <em>them</em> in as you.</p>
<div class="actions"><button type="submit" class="primary">Confirm and continue</button></div>
</form>`

func (p deviceCodePage) html() markup {
	title, lead := markup("Enter the code"), markup("<p>Your terminal shows a code of eight letters. Type it here.</p>")
	if p.UserCode != "" && p.Error == "" {
		title, lead = "Confirm the code", "<p>Does this code match the one that your terminal shows?</p>"
	}
	return document(pageDevice, title, fill(deviceHTML,
		"lead", lead,
		"alert", alert(p.Error),
		"action", text(p.Action),
		"hidden", hidden(fieldCSRF, p.CSRF),
		"code", text(p.UserCode),
		"focus", when(p.UserCode == "" || p.Error != "", " autofocus"),
		"invalid", invalid(p.Error)))
}

func (p deviceCodePage) nextOrigins() []string { return p.Next }

const consentHTML markup = `<p><strong class="client"><bdi>{{client}}</bdi></strong> asks to act for you{{user}}. If you allow it, it can:</p>
<ul>
{{scopes}}</ul>
{{code}}<form method="post" action="{{action}}">
{{hidden}}<div class="actions">
<button type="submit" name="decision" value="allow" class="primary">Allow access</button>
<button type="submit" name="decision" value="deny">Deny access</button>
</div>
</form>`

func (p consentPage) html() markup {
	var scopes markup
	for _, s := range p.Scopes {
		scopes += scopeHTML(s)
	}
	if len(p.Scopes) == 0 {
		scopes = `<li>See the AWS accounts and roles that are assigned to you, and get credentials for them. It cannot renew this by itself: it will ask again. <span class="quiet">No scope was asked for.</span></li>
`
	}
	code := when(p.UserCode != "", fill(`<p class="note">The request comes from the terminal that shows the code <strong class="code">{{code}}</strong>. If that is not yours, deny.</p>
`, "code", text(p.UserCode)))
	return document(pageConsent, "Allow access?", fill(consentHTML,
		"client", text(p.ClientName),
		"user", when(p.UserName != "", fill(", <strong><bdi>{{user}}</bdi></strong>", "user", text(p.UserName))),
		"scopes", scopes,
		"code", code,
		"action", text(p.Action),
		"hidden", hidden(fieldCSRF, p.CSRF)+hidden(fieldRequest, p.Request)))
}

func (p consentPage) nextOrigins() []string { return p.Next }

// scopeHTML says a scope in plain words and names it.
func scopeHTML(scope string) markup {
	plain := markup("Use what this scope stands for.")
	if scope == "sso:account:access" {
		plain = "See the AWS accounts and roles that are assigned to you, and get credentials for them, until your " +
			"session here ends."
	}
	return fill(`<li>{{plain}} <span class="quiet">Scope: <code>{{scope}}</code></span></li>
`, "plain", plain, "scope", text(scope))
}

func (p approvedPage) html() markup {
	who := markup("Your terminal")
	if p.ClientName != "" {
		who = fill(`<strong class="client"><bdi>{{client}}</bdi></strong>`, "client", text(p.ClientName))
	}
	return document(pageApproved, "Request approved", fill(`<p role="status">You can close this window and return to your terminal.</p>
<p>{{who}} goes on by itself.</p>`, "who", who))
}

func (approvedPage) nextOrigins() []string { return nil }

func (p deniedPage) html() markup {
	who := markup("Nothing was given away.")
	if p.ClientName != "" {
		who = fill(`<strong class="client"><bdi>{{client}}</bdi></strong> was given nothing.`, "client",
			text(p.ClientName))
	}
	return document(pageDenied, "Request denied", fill(`<p role="status">You can close this window and return to your terminal.</p>
<p>{{who}}</p>`, "who", who))
}

func (deniedPage) nextOrigins() []string { return nil }

func (p errorPage) html() markup {
	title, hint := text(p.Title), text(p.Hint)
	if title == "" {
		title = "Something went wrong"
	}
	if hint == "" {
		hint = "Close this window and start the sign-in again from your terminal."
	}
	return document(pageError, title, fill(`<p class="alert" role="alert"><strong>Error:</strong> {{message}}</p>
<p>{{hint}}</p>`, "message", text(p.Message), "hint", hint))
}

func (errorPage) nextOrigins() []string { return nil }

const portalHTML markup = `<p>Nothing is to be done here on its own: a sign-in starts in your terminal. If it shows a code, type it here.</p>
<form method="get" action="{{device}}">
<div class="field">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" type="text" class="code" required autocomplete="off" autocapitalize="characters" spellcheck="false" placeholder="XXXX-XXXX">
</div>
<div class="actions"><button type="submit" class="primary">Continue</button></div>
</form>
<script>{{script}}</script>`

// portalScript follows the fragment form of the verification URL. The form's own action says where to.
const portalScript = `(function () {
  var m = /^#\/device(\?.*)?$/.exec(location.hash);
  if (m) location.replace(document.forms[0].action + (m[1] || ""));
})();`

func (p portalPage) html() markup {
	return document(pagePortal, "Your access portal", fill(portalHTML,
		"device", text(p.DeviceURL), "script", markup(portalScript)))
}

func (portalPage) nextOrigins() []string { return nil }
