package fleet

// A Role is what a host is for.
type Role string

// The roles.
const (
	Workstation Role = "workstation"
	Developer   Role = "developer"
	Finance     Role = "finance"
	Engineering Role = "engineering"
	Server      Role = "server"
	Controller  Role = "domain-controller"
)

// roles are the roles with the share of hosts that have each.
var roles = []struct {
	role  Role
	share float64
}{
	{Workstation, 0.58}, {Developer, 0.14}, {Finance, 0.09}, {Engineering, 0.06}, {Server, 0.11}, {Controller, 0.02},
}

// roleOf draws the role of a host. The first host of a fleet is a domain
// controller and the second a server: no fleet is without.
func roleOf(d dice, host int) Role {
	x := d.Float64()
	switch host {
	case 0:
		return Controller
	case 1:
		return Server
	}
	for _, r := range roles {
		if x -= r.share; x < 0 {
			return r.role
		}
	}
	return Workstation
}

// attended reports whether people work at hosts of the role.
func (r Role) attended() bool { return r != Server && r != Controller }
