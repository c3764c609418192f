package catalog

import (
	"slices"

	"github.com/postern-dev/postern/iam"
)

// ecsRunTask runs single tasks of definitions that exist. A call may override the
// command, so whoever runs a task does with its role what they like; and AWS asks
// for iam:PassRole on the roles of the definition, overridden or not
// (https://github.com/aws/serverless-application-model/issues/2247).
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
func ecsRunTask() *Grant {
	const word = `[A-Za-z0-9_-]{1,255}`
	return &Grant{
		Name:    "ecs-run-task",
		Area:    Containers,
		Summary: "run single ECS tasks of existing task definitions, wait for them and read their logs",
		Never:   "register a task definition, change a service, open a shell in a task, pass a role that is not named",
		Params: []Param{
			{
				Name: "clusters", Type: List, Required: true, Max: 20, Pattern: `^` + word + `$`, Example: "prod",
				Summary: "up to 20 names of clusters to run tasks in",
				Wider:   "no level runs tasks in clusters that are not named",
			},
			{
				Name: "families", Type: List, Max: 50, Pattern: `^` + word + `$`, Example: "shop-migrate", Levels: []string{"family"},
				Summary: "up to 50 task definition families",
				Wider:   "for every family use level account",
			},
			passRolesParam("the task and execution roles of the definitions, which AWS asks for on every run"),
			{
				Name: "log_groups", Type: List, Max: 20, Pattern: `^[A-Za-z0-9_.#-]+(/[A-Za-z0-9_.#-]+)*$`, Example: "ecs/shop-migrate",
				Summary: "up to 20 names of log groups that the tasks write to, without the slashes at either end; ecs/shop stands for /ecs/shop and ecs/shop",
				Wider:   "no level reads log groups that are not named",
			},
			{Name: "tags", Type: Bool, Default: "false", Example: "true", Summary: "also tag the tasks, or hand on the tags of their definition"},
			{Name: "stop", Type: Bool, Default: "false", Example: "true", Summary: "also stop tasks; AWS cannot tell a task of a service from one that was run"},
		},
		Levels: []Level{
			{Name: "family", Summary: "run tasks of the named families in the named clusters", Needs: []string{"families"}},
			{Name: "account", Summary: "run tasks of any family in the named clusters", Adds: "every other family whose roles are passed or that has none"},
		},
		Why: Why{
			"ecs:DescribeTasks":       "aws ecs wait tasks-stopped: waits and reads the exit code",
			"ecs:RunTask":             "aws ecs run-task: starts the task",
			"ecs:StopTask":            "aws ecs stop-task: stops one that hangs, with stop",
			"ecs:TagResource":         "aws ecs run-task --tags, --propagate-tags: with tags",
			"iam:PassRole":            "aws ecs run-task: hands the definition's task role and execution role to ECS",
			"logs:DescribeLogStreams": "aws logs tail: finds the stream of the task, with log_groups",
			"logs:FilterLogEvents":    "aws logs tail: reads on while the task runs, with log_groups",
			"logs:GetLogEvents":       "aws logs get-log-events: reads what the task printed, with log_groups",
		},
		Cases:      ecsRunCases,
		statements: ecsRunStatements,
	}
}

func ecsRunStatements(s Scope, _ string, args Args) []iam.Statement {
	cluster := func(name string) string { return s.arn("ecs", "cluster/"+name) }
	e := &ecsScope{Scope: s, args: args, clusters: args["clusters"], families: args["families"], clusterARNs: each(args["clusters"], cluster)}
	tasks := each(e.clusters, func(name string) string { return s.arn("ecs", "task/"+name+"/*") })
	out := []iam.Statement{
		allow("EcsRun", []string{"ecs:RunTask"}, e.runnable(), e.inClusters()...),
		allow("EcsRunWatch", []string{"ecs:DescribeTasks"}, tasks),
	}
	if args.on("tags") {
		out = append(out, ecsTag("EcsRunTag", "RunTask", tasks))
	}
	if args.on("stop") {
		out = append(out, allow("EcsRunStop", []string{"ecs:StopTask"}, tasks))
	}
	if roles := args["pass_roles"]; len(roles) > 0 {
		out = append(out, passRoles("EcsRunPassRoles", s, roles, "ecs-tasks"))
	}
	return slices.Concat(out, s.readLogs("EcsRunLogs", args["log_groups"]))
}

// readLogs allows reading log groups, whose names stand with or without the
// slash that they begin with.
func (s Scope) readLogs(sid string, groups []string) []iam.Statement {
	if len(groups) == 0 {
		return nil
	}
	var arns, streams []string
	for _, name := range groups {
		for _, group := range []string{name, "/" + name} {
			arns = append(arns, s.arn("logs", "log-group:"+group), s.arn("logs", "log-group:"+group+":*"))
			streams = append(streams, s.arn("logs", "log-group:"+group+":log-stream:*"))
		}
	}
	return []iam.Statement{
		allow(sid, []string{"logs:DescribeLogStreams", "logs:FilterLogEvents"}, arns),
		allow(sid+"Streams", []string{"logs:GetLogEvents"}, streams),
	}
}

func ecsRunCases() []Case {
	const (
		ecs    = "arn:aws:ecs:eu-west-1:222222222222:"
		family = ecs + "task-definition/shop-migrate"
		role   = "arn:aws:iam::222222222222:role/"
		group  = "arn:aws:logs:eu-west-1:222222222222:log-group:"
	)
	run := func(definition, cluster string) []call {
		return calls(definition, map[string][]string{"ecs:cluster": {ecs + "cluster/" + cluster}}, "ecs:RunTask")
	}
	use := flat(run(family+":3", "prod"), run(family, "prod"), calls(ecs+"task/prod/0a1b", nil, "ecs:DescribeTasks"))
	stop := calls(ecs+"task/prod/0a1b", nil, "ecs:StopTask")
	onRun := map[string][]string{"ecs:CreateAction": {"RunTask"}}
	tag := calls(ecs+"task/prod/0a1b", onRun, "ecs:TagResource")
	pass := calls(role+"shop-task", passedTo("ecs-tasks.amazonaws.com"), "iam:PassRole")
	logs := flat(
		calls(group+"/ecs/shop-migrate:*", nil, "logs:FilterLogEvents", "logs:DescribeLogStreams"),
		calls(group+"ecs/shop-migrate", nil, "logs:FilterLogEvents", "logs:DescribeLogStreams"),
		calls(group+"/ecs/shop-migrate:log-stream:a/b/c", nil, "logs:GetLogEvents"),
	)
	web := run(ecs+"task-definition/web:3", "prod")
	never := flat(
		run(family+":3", "test"), calls(family+":3", nil, "ecs:RunTask"),
		calls(ecs+"task/test/0a1b", nil, "ecs:DescribeTasks", "ecs:StopTask"),
		calls(ecs+"task/test/0a1b", onRun, "ecs:TagResource"), calls(ecs+"task/prod/0a1b", nil, "ecs:TagResource"),
		calls(ecs+"service/prod/shop", nil, "ecs:UpdateService", "ecs:CreateService"),
		calls(family+":*", nil, "ecs:RegisterTaskDefinition", "ecs:TagResource"), calls(ecs+"task/prod/0a1b", nil, "ecs:ExecuteCommand"),
		calls("*", nil, "ecs:DescribeTaskDefinition", "ecs:DeregisterTaskDefinition"),
		calls("arn:aws:ecs:eu-west-1:333333333333:task-definition/shop-migrate:3", map[string][]string{"ecs:cluster": {ecs + "cluster/prod"}}, "ecs:RunTask"),
		calls(role+"admin", passedTo("ecs-tasks.amazonaws.com"), "iam:PassRole"), calls(role+"shop-task", passedTo("lambda.amazonaws.com"), "iam:PassRole"),
		calls(group+"/ecs/web:*", nil, "logs:FilterLogEvents"), calls(group+"/ecs/shop-migrate2:*", nil, "logs:FilterLogEvents"),
		calls(group+"/ecs/shop-migrate:*", nil, "logs:DeleteLogGroup", "logs:PutRetentionPolicy"),
	)
	migrate := Args{"clusters": {"prod"}, "families": {"shop-migrate"}}
	full := Args{"clusters": {"prod"}, "families": {"shop-migrate"}, "pass_roles": {"shop-task"}, "log_groups": {"ecs/shop-migrate"}, "stop": {"true"}, "tags": {"true"}}
	wide := Args{"clusters": {"prod"}, "pass_roles": {"shop-task"}, "log_groups": {"ecs/shop-migrate"}, "stop": {"true"}}
	return flat(
		cases("", migrate, use, flat(never, web, stop, tag, pass, logs, run(ecs+"task-definition/shop-migrate2:1", "prod"))),
		cases("family", full, flat(use, stop, tag, pass, logs), flat(never, web)),
		cases("account", wide, flat(use, stop, pass, logs, web), never),
	)
}
