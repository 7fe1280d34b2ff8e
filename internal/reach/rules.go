package reach

import "fmt"

// Rules are the commands that open a port, ready to paste: for nft, ufw and an AWS security group. The protocol is "udp"
// or "tcp".
func Rules(port uint16, protocol string) []string {
	return []string{
		fmt.Sprintf("nft insert rule inet filter input %s dport %d accept", protocol, port),
		fmt.Sprintf("ufw allow %d/%s", port, protocol),
		fmt.Sprintf("aws ec2 authorize-security-group-ingress --group-id YOUR_GROUP --protocol %s --port %d --cidr 0.0.0.0/0", protocol, port),
	}
}
