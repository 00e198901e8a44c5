package inventory

import (
	"errors"
	"fmt"
	"strings"
)

// A Role says what a host is for: a word in lower case. Those below have a
// meaning to Postern; an operator may use others. "" is unknown.
type Role string

// The roles that Postern knows.
const (
	Workstation      Role = "workstation"
	Server           Role = "server"
	DomainController Role = "domain-controller"
	JumpHost         Role = "jump-host" // people pass through it to others
	Kiosk            Role = "kiosk"     // many people, few programs
	VDI              Role = "vdi"       // many people's desktops, one after the other
)

// maxRole bounds the length of a role.
const maxRole = 32

var errRole = errors.New("a role is a word of letters, digits and dashes, such as workstation")

// UnmarshalText reads a role, in any case.
func (r *Role) UnmarshalText(text []byte) error {
	s := strings.ToLower(strings.TrimSpace(string(text)))
	for i, c := range s {
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return errRole
		}
	}
	if len(s) > maxRole {
		return errRole
	}
	*r = Role(s)
	return nil
}

// A Value says how much it would hurt to lose a host.
type Value string

// The values, the greatest first.
const (
	Critical Value = "critical"
	High     Value = "high"
	Normal   Value = "normal"
	Low      Value = "low"
)

// UnmarshalText reads a value, in any case; nothing is [Normal].
func (v *Value) UnmarshalText(text []byte) error {
	switch s := Value(strings.ToLower(strings.TrimSpace(string(text)))); s {
	case Critical, High, Normal, Low:
		*v = s
	case "":
		*v = Normal
	default:
		return fmt.Errorf("a value is one of %s, %s, %s and %s", Critical, High, Normal, Low)
	}
	return nil
}
