// Package keep knows how to renew sessions before they lapse: when which one is due, and how to wait for that through
// suspend, clock jumps and a lost network. How a token is renewed is left to internal/refresh, what is said of it to
// internal/cli.
//
// The one rule: one renewal for each token, and silence in between. The token file decides what is due; whoever else
// renews it is as good.
package keep
