package browsertest

import (
	"fmt"
	"slices"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Widths are the widths in CSS pixels that Screenshot takes pictures at: the narrowest that WCAG 2.2 asks for
// (1.4.10), and a laptop.
var Widths = []int64{320, 1280}

// Screenshot keeps pictures of the whole page as NAME-320-light.png and so on: each of Widths, light and dark. A page
// that scrolls sideways at any of them fails the test. Afterwards the window is as it was.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.media("prefers-color-scheme", scheme)
		for _, width := range Widths {
			b.Resize(width, 800)
			if wide := eval[int64](b, `document.documentElement.scrollWidth`); wide > width {
				b.t.Errorf("page %q is %d pixels wide in a window of %d", name, wide, width)
			}
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			b.must("take a picture", err)
			b.keep(fmt.Sprintf("%s-%d-%s.png", name, width, scheme), png)
		}
	}
	b.must("reset the window", chromedp.Do(b.ctx, chromedp.ResetViewport()))
	b.media("prefers-color-scheme", "")
}

// Resize makes the window this wide and high, in CSS pixels.
func (b *Browser) Resize(width, height int64) {
	b.t.Helper()
	phone := []chromedp.EmulateViewportOption{}
	if width < 600 {
		phone = slices.Concat(phone, []chromedp.EmulateViewportOption{chromedp.EmulateMobile, chromedp.EmulatePortrait})
	}
	b.must("resize the window", chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height, phone...)))
}

func (b *Browser) media(feature, value string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
	})
	b.must("set "+feature, err)
}
