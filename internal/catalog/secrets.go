package catalog

import "github.com/postern-dev/postern/iam"

// secretSuffix stands for the hyphen and the six random characters that Secrets
// Manager appends to a secret's name in its ARN. A star in their place would
// also let in the secrets whose names only begin alike.
//
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html
const secretSuffix = "-??????"

// secretsRead reads values from Secrets Manager.
func secretsRead() *Grant {
	const name = `^[A-Za-z0-9_+=.@-]+(/[A-Za-z0-9_+=.@-]+)*$`
	return &Grant{
		Name:    "secrets-read",
		Area:    Secrets,
		Summary: "read the values of secrets in Secrets Manager",
		Never:   "create, change, rotate or delete a secret, change who may read it, list the account's secrets, decrypt what no named secret holds",
		Params: []Param{
			{
				Name: "names", Type: List, Max: 50, Pattern: name, Example: "shop/db",
				Summary: "up to 50 names of secrets, without the six characters that Secrets Manager appends",
				Wider:   "for all whose names begin with a path use level prefix",
			},
			{
				Name: "prefixes", Type: List, Max: 20, Pattern: name, Example: "shop", Levels: []string{"prefix"},
				Summary: "up to 20 paths, without a slash at the end; shop stands for every secret shop/…",
				Wider:   "no level reads every secret of the account",
			},
			kmsKeyParam("kms_key", "that encrypts the secrets", "without it only secrets under the key alias/aws/secretsmanager can be decrypted"),
			regionParam("the secrets and the key"),
		},
		Levels: []Level{
			{Name: "secret", Summary: "read the named secrets", Needs: []string{"names"}},
			{Name: "prefix", Summary: "read every secret below the named paths", Adds: "the paths' other secrets, present and future", Needs: []string{"prefixes"}},
		},
		Why: Why{
			"kms:Decrypt":                   "aws secretsmanager get-secret-value: Secrets Manager decrypts the value, with kms_key",
			"secretsmanager:DescribeSecret": "aws-secretsmanager-get-secrets, AWS's caching clients: see which version is current",
			"secretsmanager:GetSecretValue": "aws secretsmanager get-secret-value: reads the value",
		},
		Cases:      secretsCases,
		statements: secretsStatements,
	}
}

func secretsStatements(s Scope, _ string, args Args) []iam.Statement {
	s = s.in(args.one("region"))
	secret := func(suffix string) func(string) string {
		return func(name string) string { return s.arn("secretsmanager", "secret:"+name+suffix) }
	}
	secrets := flat(each(args["names"], secret(secretSuffix)), each(args["prefixes"], secret("/*")))
	out := []iam.Statement{allow("SecretsRead", []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"}, secrets)}
	if key := args.one("kms_key"); key != "" {
		// https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
		out = append(out, s.through("secretsmanager", key, "SecretsKey", []string{"kms:Decrypt"},
			when("StringLike", "kms:EncryptionContext:SecretARN", secrets...)))
	}
	return out
}

func secretsCases() []Case {
	const (
		secret = "arn:aws:secretsmanager:eu-west-1:222222222222:secret:"
		shop   = secret + "shop/db-Ab12Cd"
		other  = secret + "shop/eu/token-Ab12Cd"
	)
	read := func(arn string) []call {
		return calls(arn, nil, "secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret")
	}
	decrypt := func(arn string) []call {
		return calls(stateKey, map[string][]string{
			"kms:ViaService": {"secretsmanager.eu-west-1.amazonaws.com"}, "kms:EncryptionContext:SecretARN": {arn},
		}, "kms:Decrypt")
	}
	never := flat(
		calls(shop, nil, "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret", "secretsmanager:DeleteSecret", "secretsmanager:RotateSecret",
			"secretsmanager:PutResourcePolicy", "secretsmanager:ReplicateSecretToRegions", "secretsmanager:ListSecretVersionIds"),
		calls("*", nil, "secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetRandomPassword"),
		read(secret+"web/db-Ab12Cd"), read(secret+"shopping/db-Ab12Cd"), read(secret+"shop-Ab12Cd"),
		read("arn:aws:secretsmanager:eu-west-1:333333333333:secret:shop/db-Ab12Cd"),
		read("arn:aws:secretsmanager:us-east-1:222222222222:secret:shop/db-Ab12Cd"),
		decrypt(secret+"web/db-Ab12Cd"),
		calls(stateKey, map[string][]string{"kms:ViaService": {"secretsmanager.eu-west-1.amazonaws.com"}}, "kms:Decrypt"),
		calls(stateKey, map[string][]string{"kms:EncryptionContext:SecretARN": {shop}}, "kms:Decrypt"),
		calls(stateKey, map[string][]string{"kms:ViaService": {"ssm.eu-west-1.amazonaws.com"}, "kms:EncryptionContext:SecretARN": {shop}}, "kms:Decrypt"),
		calls(stateKey, nil, "kms:Encrypt", "kms:GenerateDataKey"),
	)
	names, key := []string{"shop/db"}, []string{stateKeyID}
	return flat(
		cases("", Args{"names": names}, read(shop), flat(never, read(other), decrypt(shop),
			read(secret+"shop/db-replica-Ab12Cd"), read(secret+"shop/db2-Ab12Cd"), read(secret+"shop/db"))),
		cases("secret", Args{"names": names, "kms_key": key}, flat(read(shop), decrypt(shop)),
			flat(never, read(other), decrypt(other), decrypt(secret+"shop/db-replica-Ab12Cd"))),
		cases("secret", Args{"names": names, "region": {"us-east-1"}},
			read("arn:aws:secretsmanager:us-east-1:222222222222:secret:shop/db-Ab12Cd"), read(shop)),
		cases("prefix", Args{"prefixes": {"shop"}, "kms_key": key}, flat(read(shop), read(other), decrypt(shop), decrypt(other)), never),
	)
}
