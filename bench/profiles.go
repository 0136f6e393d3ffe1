//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/configedit"
)

// synced is what one profiles sync did.
type synced struct {
	measured
	served, refused int     // calls
	atOnce          float64 // the most calls under way
	config          string  // the file then
}

// missing is how many of the profiles that are wanted are not in the file.
func (s synced) missing(accounts, roles int) float64 {
	return float64(accounts*roles - strings.Count(s.config, "\nsso_account_id"))
}

// sync runs profiles sync in h.
func (b *bench) sync(h home) (s synced, err error) {
	b.emu.ForgetRequests()
	b.most.Store(0)
	if s.measured, err = b.run(h, b.homing, "profiles", "sync", "--sso-session", "dev", "--yes"); err != nil {
		return s, err
	}
	s.served, s.refused = b.calls("")
	s.atOnce = float64(b.most.Load())
	text, err := os.ReadFile(h.path(".aws/config"))
	s.config = string(text)
	return s, err
}

// freshSync does so in a home with nothing but the session, with a portal of so many accounts, so slow and so strict.
func (b *bench) freshSync(accounts, roles int, latency time.Duration, rate int) (home, synced, error) {
	h, err := b.another("sync")
	if err != nil {
		return h, synced{}, err
	}
	if err := h.write(".aws/config", b.config(0)); err != nil {
		return h, synced{}, err
	}
	b.quiet()
	b.emu.Change(func(s *emulator.Server) {
		s.Directory, s.Latency, s.PortalRate = emulator.GenerateDirectory(accounts, roles), latency, rate
	})
	s, err := b.sync(h)
	return h, s, err
}

// profiles measures profiles sync.
func (b *bench) profiles() error {
	const roles = 3
	defer b.emu.Change(func(s *emulator.Server) {
		s.Directory, s.Latency, s.PortalRate = emulator.GenerateDirectory(1, b.size.roles), 0, 0
	})
	accounts := b.size.accounts
	for _, rate := range []int{0, b.size.rate} {
		group := fmt.Sprintf("profiles sync, %d accounts of %d roles at %d ms", accounts, roles,
			b.size.latency.Milliseconds())
		key := "sync"
		if rate > 0 {
			group, key = fmt.Sprintf("%s, %d calls a second", group, rate), "sync/capped"
		}
		var took, ratios, ideals, refused []float64
		missing, together := 0.0, 0.0
		for range b.size.syncTimes {
			_, s, err := b.freshSync(accounts, roles, b.size.latency, rate)
			if err != nil {
				return err
			}
			ideal := b.size.latency.Seconds() * float64(s.served) / s.atOnce
			if rate > 0 {
				ideal = float64(s.served) / float64(rate)
			}
			took, ideals, ratios = append(took, s.took.Seconds()), append(ideals, ideal), append(ratios,
				s.took.Seconds()/ideal)
			refused = append(refused, 100*float64(s.refused)/float64(s.served+s.refused))
			missing, together = max(missing, s.missing(accounts, roles)), max(together, s.atOnce)
		}
		row := Row{Key: key, What: "until all is written", Value: median(took), Unit: "s", Ratio: median(ratios),
			To:    fmt.Sprintf("latency x calls ÷ %.0f at once, %s s", together, number(median(ideals))),
			Limit: mostValue(2.5)}
		if rate > 0 {
			row.To, row.Limit = "calls ÷ rate, "+number(median(ideals))+" s", mostRatio(1.15)
		}
		row.Low, row.High = quartiles(ratios)
		b.add(group, row, Row{Key: key + "/missing", What: "profiles that are missing", Value: missing,
			Limit: mostValue(0)})
		if rate > 0 {
			b.add(group, Row{Key: key + "/refused", What: "calls that were refused, of all", Value: median(refused),
				Unit: "%", Limit: mostValue(15)})
		}
	}

	accounts = b.size.manyAccounts
	group := fmt.Sprintf("profiles sync, %d accounts of %d roles", accounts, roles)
	h, first, err := b.freshSync(accounts, roles, 0, 0)
	if err != nil {
		return err
	}
	second, err := b.sync(h)
	if err != nil {
		return err
	}
	changed := 0.0
	if first.config != second.config {
		changed = 1
	}
	b.add(group,
		Row{Key: "sync/many", What: "until all is written", Value: first.took.Seconds(), Unit: "s"},
		Row{Key: "sync/many/missing", What: "profiles that are missing", Value: first.missing(accounts, roles),
			Limit: mostValue(0)},
		Row{Key: "sync/many/memory", What: "memory at its peak", Value: max(first.memory, second.memory), Unit: "MB",
			Limit: mostValue(150)},
		Row{Key: "sync/many/again", What: "a second time", Value: second.took.Seconds(), Unit: "s",
			Ratio: second.took.Seconds() / first.took.Seconds(), To: "the first"},
		Row{Key: "sync/many/changed", What: "files changed by it", Value: changed, Limit: mostValue(0)},
	)
	return nil
}

// editor measures the change of one profile in large files, in processor time of ours: read, checked, written.
func (b *bench) editor() error {
	const group = "One profile of the config file changed"
	var each [3]time.Duration
	for i, n := range b.size.edited {
		h, err := b.another("edit")
		if err != nil {
			return err
		}
		if err := h.write(".aws/config", b.config(n)); err != nil {
			return err
		}
		var all []time.Duration
		for round := range b.size.editTimes {
			runtime.GC() // what was there before does not count
			before := processorTime()
			err := configedit.Update(context.WithoutCancel(b.ctx), h.path(".aws/config"), configedit.Edit{
				Section: configedit.Section{Type: "profile", Name: "dev"},
				Set:     []configedit.KeyValue{{Key: "region", Value: fmt.Sprintf("eu-west-%d", 2+round)}},
			})
			if err != nil {
				return err
			}
			all = append(all, processorTime()-before)
		}
		each[i] = median(all)
	}
	row := func(i int) Row {
		n := b.size.edited[i]
		r := Row{Key: fmt.Sprintf("edit/%d", i), What: fmt.Sprintf("in a file of %d", n), Value: ms(each[i]),
			Unit: "ms"}
		if i > 0 {
			fewer := b.size.edited[i-1]
			r.Ratio = float64(each[i]) / float64(each[i-1]) * float64(fewer) / float64(n)
			r.To = fmt.Sprintf("%s ms for each of %d", number(ms(each[i-1])), fewer)
		}
		return r
	}
	many, most := row(1), row(2)
	// linear, with room for what the processor's caches no longer hold
	many.Limit, most.Limit = mostValue(100), mostRatio(2)
	many.To, most.To = "what each costs in a file of "+fmt.Sprint(b.size.edited[0]),
		"what each costs in a file of "+fmt.Sprint(b.size.edited[1])
	b.add(group, row(0), many, most)
	return nil
}

// processorTime is what this process has used of the processor.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
