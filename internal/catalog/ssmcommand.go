package catalog

import (
	"strings"

	"github.com/postern-dev/postern/iam"
)

// ssmRunCommand runs Systems Manager command documents on instances.
//
// SendCommand is judged by the document and by each instance, so both must be
// allowed; a statement about an instance may ask for the instance's tags:
// https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html
func ssmRunCommand() *Grant {
	const (
		known = "know no resource; a condition bounds them to the role's region. They show what any command of the region printed, so secrets must not be printed"
		tag   = `^[A-Za-z0-9_.:=@+-]+$`
	)
	tagged := []string{"tag", "shell"}
	return &Grant{
		Name:    "ssm-run-command",
		Area:    Hosts,
		Summary: "run named command documents of Systems Manager on instances, and read what they print",
		Never:   "write or share a document, run one that is not named, reach an instance that is not named or tagged, open a session, run automations, cancel commands; below level shell, run any command line",
		Params: []Param{
			{
				Name: "documents", Type: List, Max: 20, Example: "deploy-shop",
				// Names that begin with AWS are Amazon's own: see aws_documents.
				Pattern: `^([B-Za-z0-9_.-]|A[A-VX-Za-z0-9_.-]|AW[A-RT-Za-z0-9_.-])[A-Za-z0-9_.-]{2,125}$`,
				Summary: "up to 20 names of command documents that the account owns; those of AWS (AWS-…) run any command line and need level shell",
				Wider:   "no level runs documents that are not named",
			},
			{
				Name: "instances", Type: List, Max: 50, Pattern: `^m?i-[0-9a-f]{8,17}$`, Example: "i-0123456789abcdef0",
				Summary: "up to 50 ids of instances or managed nodes",
				Wider:   "for every instance with a tag use level tag",
			},
			{
				Name: "tag", Type: String, Max: 128, Pattern: tag, Default: "service", Example: "service", Levels: tagged,
				Summary: "key of the tag by which instances are chosen, up to 128 characters; who may tag instances decides what the grant reaches",
			},
			{
				Name: "value", Type: String, Max: 256, Pattern: tag, Example: "shop", Levels: tagged,
				Summary: "value of that tag, up to 256 characters",
				Wider:   "no level reaches every instance of the account",
			},
			{
				Name: "aws_documents", Type: List, Max: 10, Pattern: `^AWS[A-Za-z]*-[A-Za-z0-9_.-]{3,120}$`, Example: "AWS-RunShellScript", Levels: []string{"shell"},
				Summary: "up to 10 names of AWS's own documents, such as AWS-RunShellScript",
				Wider:   "no level runs documents that are not named",
			},
			{
				Name: "output_bucket", Type: String, Max: 63, Pattern: bucketForm, Example: "acme-command-output",
				Summary: "bucket that the instances write the whole output to, 3 to 63 characters; without it the first 24,000 characters can be read",
				Wider:   "no level reaches more than one bucket",
			},
			{
				Name: "output_prefix", Type: String, Max: 512, Pattern: `^` + keyForm + `$`, Default: "ssm", Example: "ssm/shop",
				Summary: "folder of the output in that bucket, without a slash at the end, up to 512 characters",
			},
		},
		Levels: []Level{
			{Name: "instances", Summary: "run the named documents on the named instances; whoever runs a command holds the instance's role as far as the document lets them", Needs: []string{"documents", "instances"}},
			{Name: "tag", Summary: "run the named documents on every instance that carries the tag", Adds: "every instance with the tag, present and future, and the list of where a command ran", Needs: []string{"documents", "value"}},
			{Name: "shell", Summary: "also run AWS's own documents there", Adds: "with AWS-RunShellScript and its like any command line, as root: whoever holds this level holds the tagged instances and their roles", Needs: []string{"aws_documents", "value"}},
		},
		Unscopable: []Unscopable{
			{Actions: []string{"ssm:GetCommandInvocation", "ssm:ListCommandInvocations"}, Reason: known},
		},
		Why: Why{
			"s3:GetObject":               "aws s3 cp: reads the whole output, with output_bucket",
			"ssm:GetCommandInvocation":   "aws ssm wait command-executed, get-command-invocation: wait for a command and read its output",
			"ssm:ListCommandInvocations": "aws ssm list-command-invocations: finds the instances that a tag stood for",
			"ssm:SendCommand":            "aws ssm send-command: runs the document; with output_bucket it names the bucket too",
		},
		Cases:      ssmCommandCases,
		statements: ssmCommandStatements,
	}
}

// bucketForm is the name of an S3 bucket.
const bucketForm = `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`

func ssmCommandStatements(s Scope, level string, args Args) []iam.Statement {
	send := []string{"ssm:SendCommand"}
	documents := flat(
		each(args["documents"], func(name string) string { return s.arn("ssm", "document/"+name) }),
		each(args["aws_documents"], func(name string) string { return s.arnIn("ssm", s.Region, "", "document/"+name) }))
	out := []iam.Statement{allow("SsmCommandDocuments", send, documents)}
	if named := args["instances"]; len(named) > 0 {
		out = append(out, allow("SsmCommandInstances", send, each(named, s.node)))
	}
	read := []string{"ssm:GetCommandInvocation"}
	if level != "instances" {
		read = append(read, "ssm:ListCommandInvocations")
		out = append(out, allow("SsmCommandTagged", send, []string{s.node("i-*"), s.node("mi-*")},
			when("StringEquals", "ssm:resourceTag/"+args.one("tag"), args.one("value"))))
	}
	out = append(out, allow("SsmCommandResult", read, everything(), when("StringEquals", "aws:RequestedRegion", s.Region)))
	if bucket := args.one("output_bucket"); bucket != "" {
		out = append(out,
			allow("SsmCommandBucket", send, []string{s.s3(bucket)}),
			allow("SsmCommandOutput", []string{"s3:GetObject"}, []string{s.s3(bucket + "/" + args.one("output_prefix") + "/*")}))
	}
	return out
}

// node is an instance of EC2, or what Systems Manager manages elsewhere.
func (s Scope) node(id string) string {
	if strings.HasPrefix(id, "mi-") {
		return s.arn("ssm", "managed-instance/"+id)
	}
	return s.arn("ec2", "instance/"+id)
}

func ssmCommandCases() []Case {
	const (
		ssm    = "arn:aws:ssm:eu-west-1:222222222222:"
		deploy = ssm + "document/deploy-shop"
		shell  = "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"
		ec2    = "arn:aws:ec2:eu-west-1:222222222222:instance/"
		one    = ec2 + "i-0123456789abcdef0"
		two    = ec2 + "i-0123456789abcdef1"
		node   = ssm + "managed-instance/mi-0123456789abcdef0"
		bucket = "arn:aws:s3:::acme-command-output"
	)
	send := func(context map[string][]string, arns ...string) []call {
		var out []call
		for _, arn := range arns {
			out = append(out, call{"ssm:SendCommand", arn, context})
		}
		return out
	}
	tag := func(key, value string) map[string][]string {
		return map[string][]string{"ssm:resourceTag/" + key: {value}}
	}
	here := map[string][]string{"aws:RequestedRegion": {"eu-west-1"}}
	there := map[string][]string{"aws:RequestedRegion": {"us-east-1"}}
	get, list := calls("*", here, "ssm:GetCommandInvocation"), calls("*", here, "ssm:ListCommandInvocations")
	output := flat(send(nil, bucket), calls(bucket+"/ssm/c1/i-1/stdout", nil, "s3:GetObject"))
	never := flat(
		send(nil, ssm+"document/deploy-web", ssm+"document/deploy-shop2", "arn:aws:ssm:eu-west-1::document/AWS-RunPowerShellScript",
			"arn:aws:ssm:eu-west-1:333333333333:document/deploy-shop", ec2+"i-0fff", "arn:aws:s3:::acme-backups"),
		send(tag("service", "web"), ec2+"i-0fff"),
		calls(one, nil, "ssm:StartSession", "ec2:TerminateInstances"),
		calls(deploy, nil, "ssm:UpdateDocument", "ssm:ModifyDocumentPermission", "ssm:DeleteDocument", "ssm:GetDocument", "ssm:StartSession"),
		calls("*", here, "ssm:CancelCommand", "ssm:ListCommands", "ssm:CreateActivation", "ssm:DescribeInstanceInformation"),
		calls(ssm+"automation-definition/AWS-RestartEC2Instance:1", nil, "ssm:StartAutomationExecution"),
		calls("*", there, "ssm:GetCommandInvocation", "ssm:ListCommandInvocations"),
		calls(bucket+"/other/c1", nil, "s3:GetObject"), calls(bucket+"/ssm/c1", nil, "s3:PutObject"), calls(bucket, nil, "s3:ListBucket"),
	)
	documents, ids := []string{"deploy-shop"}, []string{"i-0123456789abcdef0", "mi-0123456789abcdef0"}
	tagged := send(tag("service", "shop"), two, ssm+"managed-instance/mi-0fff")
	return flat(
		cases("", Args{"documents": documents, "instances": ids}, flat(send(nil, deploy, one, node), get),
			flat(never, list, output, tagged, send(nil, two, shell))),
		cases("instances", Args{"documents": documents, "instances": ids, "output_bucket": {"acme-command-output"}},
			flat(send(nil, deploy, one, node), get, output), flat(never, list, tagged)),
		cases("tag", Args{"documents": documents, "value": {"shop"}, "output_bucket": {"acme-command-output"}},
			flat(send(nil, deploy), tagged, get, list, output),
			flat(never, send(nil, one, two, shell), send(tag("Name", "shop"), two))),
		cases("tag", Args{"documents": documents, "value": {"shop"}, "tag": {"Name"}, "instances": ids},
			flat(send(tag("Name", "shop"), two), send(nil, one)), tagged),
		cases("shell", Args{"documents": documents, "aws_documents": {"AWS-RunShellScript"}, "value": {"shop"}, "instances": ids, "output_bucket": {"acme-command-output"}},
			flat(send(nil, deploy, shell, one), tagged, get, list, output), flat(never, send(nil, two))),
	)
}
