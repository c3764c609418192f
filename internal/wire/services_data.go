package wire

import "strings"

func dynamodb() service {
	const table = "arn:{partition}:dynamodb:{region}:{account}:table/{TableName}"
	key := map[string]string{"Key.LockID.S": "postern"}
	byKey := map[string]string{"dynamodb:LeadingKeys": "{Key.LockID.S...}"}
	return service{
		name: "dynamodb", protocol: JSON, target: "DynamoDB_20120810", contentType: "application/x-amz-json-1.0",
		operations: []operation{
			{action: "GetItem", resource: table, context: byKey, fill: key},
			{action: "PutItem", resource: table, context: map[string]string{"dynamodb:LeadingKeys": "{Item.LockID.S...}"}, fill: map[string]string{"Item.LockID.S": "postern"}},
			{action: "UpdateItem", resource: table, context: byKey, fill: key},
			{action: "DeleteItem", resource: table, context: byKey, fill: key},
			{action: "Query", resource: table, reply: `{"Items":[],"Count":0,"ScannedCount":0}`},
			{action: "Scan", resource: table, reply: `{"Items":[],"Count":0,"ScannedCount":0}`},
			{action: "DescribeTable", resource: table, reply: `{"Table":{}}`},
			{action: "DescribeContinuousBackups", resource: table},
			{action: "DescribeTimeToLive", resource: table},
			{action: "CreateTable", resource: table, reply: `{"TableDescription":{}}`},
			{action: "DeleteTable", resource: table, reply: `{"TableDescription":{}}`},
		},
	}
}

// secretSuffix stands for the six characters that Secrets Manager appends to a
// secret's name in its ARN, for requests that give the name alone.
const secretSuffix = "-000000"

func secretsManager() service {
	const secret = "arn:{partition}:secretsmanager:{region}:{account}:secret:{SecretId...}"
	suffixed := func(name string) string {
		if strings.HasPrefix(name, "arn:") {
			return name
		}
		return name + secretSuffix
	}
	// A request by ARN would need the ARN here; a name finds the same secret.
	bare := func(name string) string {
		if i := len(name) - len(secretSuffix); i > 0 && name[i] == '-' {
			return name[:i]
		}
		return name
	}
	return service{
		name: "secretsmanager", protocol: JSON, target: "secretsmanager", contentType: json11,
		operations: []operation{
			{action: "GetSecretValue", resource: secret, named: suffixed, given: bare, reply: `{"SecretString":""}`},
			{action: "DescribeSecret", resource: secret, named: suffixed, given: bare},
			{
				action: "BatchGetSecretValue", resource: "*", named: suffixed, reply: `{"SecretValues":[],"Errors":[]}`,
				needs: []need{{action: "secretsmanager:GetSecretValue", resource: "arn:{partition}:secretsmanager:{region}:{account}:secret:{SecretIdList.*...}"}},
			},
			{action: "ListSecrets", resource: "*", reply: `{"SecretList":[]}`},
			{action: "ListSecretVersionIds", resource: secret, named: suffixed, given: bare, reply: `{"Versions":[]}`},
			{action: "GetResourcePolicy", resource: secret, named: suffixed, given: bare},
			{action: "UpdateSecret", resource: secret, named: suffixed, given: bare},
			{action: "PutSecretValue", resource: secret, named: suffixed, given: bare, fill: map[string]string{"SecretString": "postern"}},
			{action: "DeleteSecret", resource: secret, named: suffixed, given: bare},
		},
	}
}

func ssm() service {
	const (
		arn       = "arn:{partition}:ssm:{region}:{account}:"
		parameter = arn + "parameter/{Name...}"
		instance  = "arn:{partition}:ec2:{region}:{account}:instance/"
	)
	// A selector, such as the version in "/shop/url:3", is no part of the ARN.
	rootless := func(name string) string {
		place, name := "", name
		if parts := strings.SplitN(name, ":", 6); parts[0] == "arn" && len(parts) == 6 {
			place, name = strings.Join(parts[:5], ":")+":", parts[5]
		}
		name, _, _ = strings.Cut(name, ":")
		return place + strings.TrimPrefix(name, "/")
	}
	rooted := func(name string) string {
		if strings.Contains(name, "/") {
			return "/" + name
		}
		return name
	}
	return service{
		name: "ssm", protocol: JSON, target: "AmazonSSM", contentType: json11,
		operations: []operation{
			{action: "GetParameter", resource: parameter, named: rootless, given: rooted, reply: `{"Parameter":{}}`},
			{action: "PutParameter", resource: parameter, named: rootless, given: rooted, fill: map[string]string{"Value": "postern"}, reply: `{"Version":1}`},
			{action: "DeleteParameter", resource: parameter, named: rootless, given: rooted},
			{action: "GetParameters", resource: arn + "parameter/{Names.*...}", named: rootless, given: rooted, reply: `{"Parameters":[],"InvalidParameters":[]}`},
			{
				action: "GetParametersByPath", resource: arn + "parameter/{Path...}", named: rootless, given: func(name string) string { return "/" + name },
				context: map[string]string{"ssm:Recursive": "{Recursive}"}, reply: `{"Parameters":[]}`,
			},
			{action: "GetParameterHistory", resource: parameter, named: rootless, given: rooted, reply: `{"Parameters":[]}`},
			{action: "DescribeParameters", resource: "*", reply: `{"Parameters":[]}`},
			{
				// Which instances a tag stands for no request says: targets are judged as
				// an instance of which nothing is known.
				action: "SendCommand", resource: arn + "document/{DocumentName...}", reply: `{"Command":{}}`, shared: awsDocument,
				needs: []need{
					{action: "ssm:SendCommand", resource: instance + "{InstanceIds.*}"},
					{action: "ssm:SendCommand", resource: instance + "*", given: "Targets"},
					{action: "ssm:SendCommand", resource: "arn:{partition}:s3:::{OutputS3BucketName}"},
					passRole("ServiceRoleArn", "ssm"), // tells of the command's end
				},
			},
			{action: "GetCommandInvocation", resource: "*", fill: map[string]string{"CommandId": "00000000-0000-0000-0000-000000000000", "InstanceId": "i-00000000"}},
			{action: "ListCommandInvocations", resource: "*", reply: `{"CommandInvocations":[]}`},
			{action: "ListCommands", resource: "*", reply: `{"Commands":[]}`},
			{action: "CancelCommand", resource: "*", fill: map[string]string{"CommandId": "00000000-0000-0000-0000-000000000000"}},
			{action: "DescribeInstanceInformation", resource: "*", reply: `{"InstanceInformationList":[]}`},
			{
				action: "StartSession", resource: instance + "{Target}",
				needs: []need{{action: "ssm:StartSession", resource: arn + "document/{DocumentName...}"}},
			},
		},
	}
}

// awsDocument tells of a command document that AWS owns: nobody else may begin
// a name so.
//
// https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-creating-content.html
func awsDocument(fields map[string]string) bool {
	return strings.HasPrefix(fields["DocumentName"], "AWS")
}

func kms() service {
	const key = "arn:{partition}:kms:{region}:{account}:key/{KeyId}"
	return service{
		name: "kms", protocol: JSON, target: "TrentService", contentType: json11,
		operations: []operation{
			// A real Decrypt may leave the key to the ciphertext, which means nothing here.
			{action: "Decrypt", resource: key, fill: map[string]string{"CiphertextBlob": "cG9zdGVybg=="}, reply: `{"Plaintext":""}`},
			{action: "Encrypt", resource: key, fill: map[string]string{"Plaintext": "cG9zdGVybg=="}, reply: `{"CiphertextBlob":""}`},
			{action: "GenerateDataKey", resource: key, fill: map[string]string{"KeySpec": "AES_256"}, reply: `{"Plaintext":"","CiphertextBlob":""}`},
			{action: "DescribeKey", resource: key, reply: `{"KeyMetadata":{"KeyId":""}}`},
			{action: "ScheduleKeyDeletion", resource: key},
		},
	}
}
