package catalog

import "github.com/postern-dev/postern/iam"

// ssmParametersRead reads configuration from Parameter Store.
//
// Each call that returns a value is authorized against an action of its own;
// GetParametersByPath against the path in the call, and never against the
// parameters that it returns:
// https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html
func ssmParametersRead() *Grant {
	const name = `^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}$`
	return &Grant{
		Name:    "ssm-parameters-read",
		Area:    Secrets,
		Summary: "read parameters of Systems Manager Parameter Store, also encrypted ones",
		Never:   "write, label or delete a parameter, read its former values, list the account's parameters, decrypt what no named parameter holds",
		Params: []Param{
			{
				Name: "names", Type: List, Max: 50, Pattern: name, Example: "shop/db-password",
				Summary: "up to 50 names of parameters, without the slash at the beginning",
				Wider:   "for all below a path use level path",
			},
			{
				Name: "paths", Type: List, Max: 20, Pattern: name, Example: "shop", Levels: []string{"path"},
				Summary: "up to 20 paths, without the outer slashes; shop stands for every parameter /shop/…",
				Wider:   "no level reads the parameters of every path",
			},
			kmsKeyParam("kms_key", "that encrypts SecureString parameters", "without it only parameters under the key alias/aws/ssm can be decrypted"),
			regionParam("the parameters and the key"),
		},
		Levels: []Level{
			{Name: "parameter", Summary: "read the named parameters", Needs: []string{"names"}},
			{Name: "path", Summary: "read every parameter below the named paths", Adds: "the paths' other parameters, present and future, at any depth, and a call that lists them", Needs: []string{"paths"}},
		},
		Why: Why{
			"kms:Decrypt":             "aws ssm get-parameter --with-decryption: Parameter Store decrypts a SecureString, with kms_key",
			"ssm:GetParameter":        "aws ssm get-parameter, ECS and Lambda extensions: read one value",
			"ssm:GetParameters":       "aws ssm get-parameters, ECS agent: read up to ten values at once",
			"ssm:GetParametersByPath": "aws ssm get-parameters-by-path, chamber: read all below a path",
		},
		Cases:      ssmParametersCases,
		statements: ssmParametersStatements,
	}
}

func ssmParametersStatements(s Scope, level string, args Args) []iam.Statement {
	s = s.in(args.one("region"))
	parameter := func(name string) string { return s.arn("ssm", "parameter/"+name) }
	paths := each(args["paths"], parameter)
	below := each(paths, func(arn string) string { return arn + "/*" })
	values := flat(each(args["names"], parameter), below)
	out := []iam.Statement{allow("SsmParametersRead", []string{"ssm:GetParameter", "ssm:GetParameters"}, values)}
	if level == "path" {
		// A call may write the path with a slash at its end or without.
		out = append(out, allow("SsmParametersByPath", []string{"ssm:GetParametersByPath"}, flat(paths, below)))
	}
	if key := args.one("kms_key"); key != "" {
		// https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
		out = append(out, s.through("ssm", key, "SsmParametersKey", []string{"kms:Decrypt"},
			when("StringLike", "kms:EncryptionContext:PARAMETER_ARN", values...)))
	}
	return out
}

func ssmParametersCases() []Case {
	const (
		parameter = "arn:aws:ssm:eu-west-1:222222222222:parameter/"
		shop      = parameter + "shop/db-password"
		other     = parameter + "shop/eu/token"
	)
	read := func(arn string) []call { return calls(arn, nil, "ssm:GetParameter", "ssm:GetParameters") }
	byPath := func(arn string) []call { return calls(arn, nil, "ssm:GetParametersByPath") }
	decrypt := func(arn string) []call {
		return calls(stateKey, map[string][]string{
			"kms:ViaService": {"ssm.eu-west-1.amazonaws.com"}, "kms:EncryptionContext:PARAMETER_ARN": {arn},
		}, "kms:Decrypt")
	}
	never := flat(
		calls(shop, nil, "ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameterHistory", "ssm:LabelParameterVersion", "ssm:AddTagsToResource"),
		calls("*", nil, "ssm:DescribeParameters"),
		read(parameter+"shopping/db-password"), read(parameter+"web/db-password"), read(parameter+"shop"),
		read("arn:aws:ssm:eu-west-1:333333333333:parameter/shop/db-password"),
		read("arn:aws:ssm:us-east-1:222222222222:parameter/shop/db-password"),
		byPath(parameter), byPath(parameter+"*"), byPath(parameter+"web"), byPath(parameter+"shopping/"),
		decrypt(parameter+"web/db-password"),
		calls(stateKey, map[string][]string{"kms:ViaService": {"ssm.eu-west-1.amazonaws.com"}}, "kms:Decrypt"),
		calls(stateKey, map[string][]string{"kms:EncryptionContext:PARAMETER_ARN": {shop}}, "kms:Decrypt"),
		calls(stateKey, map[string][]string{"kms:ViaService": {"s3.eu-west-1.amazonaws.com"}, "kms:EncryptionContext:PARAMETER_ARN": {shop}}, "kms:Decrypt"),
		calls(stateKey, nil, "kms:Encrypt", "kms:GenerateDataKey"),
	)
	names, key := []string{"shop/db-password"}, []string{stateKeyID}
	return flat(
		cases("", Args{"names": names}, read(shop), flat(never, read(other), byPath(parameter+"shop"), decrypt(shop))),
		cases("parameter", Args{"names": names, "kms_key": key}, flat(read(shop), decrypt(shop)),
			flat(never, read(other), read(shop+"2"), read(shop+"/next"), decrypt(other), byPath(shop))),
		cases("parameter", Args{"names": names, "region": {"us-east-1"}},
			read("arn:aws:ssm:us-east-1:222222222222:parameter/shop/db-password"), read(shop)),
		cases("path", Args{"paths": {"shop"}, "kms_key": key},
			flat(read(shop), read(other), decrypt(shop), decrypt(other), byPath(parameter+"shop"), byPath(parameter+"shop/"), byPath(parameter+"shop/eu")), never),
	)
}
