package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Node is what a screen reader knows of an element.
type Node struct {
	Role        string // "button", "textbox", "heading", "alert", "status", …
	Name        string // what it is called, such as the text of its label
	Description string // what aria-describedby adds
	Value       string // the text in a field
	Focused     bool
	Invalid     bool // aria-invalid
	Required    bool

	id cdp.BackendNodeID
}

// Nodes returns the accessibility tree of the page in document order, without what screen readers skip and without
// loose text.
func (b *Browser) Nodes() []Node {
	b.t.Helper()
	var nodes []Node
	b.until("the accessibility tree", func() bool {
		res, err := chromedp.Call(b.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil && cutOff(err) {
			return false
		}
		b.must("read the accessibility tree", err)
		nodes = nodes[:0]
		for _, n := range inOrder(res.Nodes) {
			role := plain(n.Role)
			if n.Ignored || role == "StaticText" || role == "InlineTextBox" || role == "none" || role == "generic" {
				continue
			}
			node := Node{Role: role, Name: plain(n.Name), Description: plain(n.Description), Value: plain(n.Value),
				id: n.BackendDOMNodeID}
			for _, p := range n.Properties {
				switch v := plain(p.Value); string(p.Name) {
				case "focused":
					node.Focused = v == "true"
				case "invalid":
					node.Invalid = v != "false" && v != ""
				case "required":
					node.Required = v == "true"
				}
			}
			nodes = append(nodes, node)
		}
		return len(nodes) > 0
	})
	return nodes
}

// inOrder sorts the nodes of an accessibility tree as they stand in the document. Chromium lists them level by level.
func inOrder(nodes []*accessibility.Node) []*accessibility.Node {
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range nodes {
		byID[n.NodeID] = n
	}
	var out []*accessibility.Node
	var walk func(n *accessibility.Node)
	walk = func(n *accessibility.Node) {
		out = append(out, n)
		for _, id := range n.ChildIDs {
			if child, ok := byID[id]; ok {
				walk(child)
			}
		}
	}
	for _, n := range nodes {
		if _, ok := byID[n.ParentID]; !ok {
			walk(n)
		}
	}
	return out
}

// plain returns a value of the accessibility tree as text, "" for none.
func plain(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if json.Unmarshal([]byte(v.Value), &s) != nil {
		return string(v.Value)
	}
	return s
}

// Node waits for the element with this role and name and returns it. A name that two elements share fails the test.
func (b *Browser) Node(role, name string) Node {
	b.t.Helper()
	var found Node
	b.until(fmt.Sprintf("the %s %q", role, name), func() bool {
		n := 0
		for _, node := range b.Nodes() {
			if node.Role == role && node.Name == name {
				found = node
				n++
			}
		}
		if n > 1 {
			b.t.Fatalf("the page has %d times the %s %q", n, role, name)
		}
		return n == 1
	})
	return found
}

// Focused returns the element that has the keyboard, or the zero Node when it is none but the page.
func (b *Browser) Focused() Node {
	b.t.Helper()
	for _, n := range b.Nodes() {
		if n.Focused && n.Role != "RootWebArea" {
			return n
		}
	}
	return Node{}
}

// Press clicks the button with this name by mouse and waits until the page it leads to is there.
func (b *Browser) Press(button string) {
	b.t.Helper()
	b.leave("press "+button, func() { b.click("button", button) })
}

// Fill clicks the text field with this name, and types text in place of its content.
func (b *Browser) Fill(field, text string) {
	b.t.Helper()
	b.click("textbox", field)
	b.must("select all", chromedp.Do(b.ctx, chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl))))
	b.Keys(kb.Delete + text)
}

// Keys presses keys, one for each rune: text, or the constants of package chromedp/kb such as kb.Tab.
func (b *Browser) Keys(keys string) {
	b.t.Helper()
	b.must("press keys", chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

// KeysLeave is Keys for those that send a form: it waits until the page it leads to is there.
func (b *Browser) KeysLeave(keys string) {
	b.t.Helper()
	b.leave("press keys", func() { b.Keys(keys) })
}

// leave does what navigates, and waits until another document is there in full.
func (b *Browser) leave(what string, act func()) {
	b.t.Helper()
	eval[bool](b, `window.homingLeft = true`)
	act()
	b.until("the page after: "+what, func() bool {
		return eval[bool](b, `!window.homingLeft && document.readyState === "complete"`)
	})
}

// click moves the mouse to the element with this role and name, and clicks.
func (b *Browser) click(role, name string) {
	b.t.Helper()
	b.until(fmt.Sprintf("the %s %q to be clickable", role, name), func() bool {
		err := clickNode(b.ctx, b.Node(role, name).id)
		if err != nil && !cutOff(err) {
			b.t.Fatalf("click the %s %q: %v", role, name, err)
		}
		return err == nil
	})
}

func clickNode(ctx context.Context, id cdp.BackendNodeID) error {
	if _, err := chromedp.Call(ctx, dom.ScrollIntoViewIfNeeded,
		dom.ScrollIntoViewIfNeededParams{BackendNodeID: id}); err != nil {
		return err
	}
	res, err := chromedp.Call(ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id})
	if err != nil {
		return err
	}
	if len(res.Quads) == 0 || len(res.Quads[0]) != 8 {
		return fmt.Errorf("could not compute where it is")
	}
	q := res.Quads[0]
	x, y := (q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4
	return chromedp.Do(ctx, chromedp.MouseClickXY(math.Round(x), math.Round(y)))
}

// SignIn fills in the identity provider's form of the emulator and sends it.
func (b *Browser) SignIn(user string) {
	b.t.Helper()
	b.Fill("User name", user)
	b.Press("Sign in")
}

// TypeCode types a user code on the emulator's device page and confirms it. With "" the code that is there
// already is confirmed.
func (b *Browser) TypeCode(code string) {
	b.t.Helper()
	if code != "" {
		b.Fill("Code", code)
	}
	b.Press("Confirm and continue")
}

// Allow presses "Allow access" on the emulator's consent page.
func (b *Browser) Allow() { b.t.Helper(); b.Press("Allow access") }

// Deny presses "Deny access" on the emulator's consent page.
func (b *Browser) Deny() { b.t.Helper(); b.Press("Deny access") }

// Outline returns the page as a screen reader would go through it, one line a node: role, name, and what else is
// known.
func (b *Browser) Outline() string {
	b.t.Helper()
	var s strings.Builder
	for _, n := range b.Nodes() {
		fmt.Fprintf(&s, "%s %q", n.Role, n.Name)
		if n.Value != "" {
			fmt.Fprintf(&s, " value %q", n.Value)
		}
		if n.Description != "" {
			fmt.Fprintf(&s, " description %q", n.Description)
		}
		if n.Invalid {
			s.WriteString(" invalid")
		}
		s.WriteString("\n")
	}
	return s.String()
}
