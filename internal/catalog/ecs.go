package catalog

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// ecsServiceDeployment is what a deployment of a new version to an existing
// ECS service needs: register a task definition, point the service at it,
// watch it become stable.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
func ecsServiceDeployment() *Grant {
	const word = `[A-Za-z0-9_-]{1,255}`
	return &Grant{
		Name:    "ecs-service-deployment",
		Area:    Containers,
		Summary: "register a task definition, point an existing ECS service at it and watch the deployment",
		Never:   "create or delete a service or a cluster, pass a role that is not named, deregister a task definition, open a shell in a task",
		Params: []Param{
			{
				Name: "services", Type: List, Max: 50, Pattern: `^` + word + `/` + word + `$`, Example: "prod/shop", Levels: []string{"service"},
				Summary: "up to 50 services as cluster/service",
				Wider:   "for every service of a cluster use level cluster, for all clusters level account",
			},
			{
				Name: "clusters", Type: List, Max: 20, Pattern: `^` + word + `$`, Example: "prod", Levels: []string{"cluster"},
				Summary: "up to 20 cluster names",
				Wider:   "for every cluster of the account use level account",
			},
			{
				Name: "families", Type: List, Max: 50, Pattern: `^` + word + `$`, Example: "shop",
				Summary: "up to 50 task definition families that may be registered and run; without it those named like the services at level service, any at the wider levels",
				Wider:   "for every family use level cluster or account without families",
			},
			passRolesParam("the task and execution roles that a task definition may name"),
			{Name: "tags", Type: Bool, Default: "false", Example: "true", Summary: "also tag the task definitions that it registers and, with run_task, the tasks that it runs"},
			{Name: "run_task", Type: Bool, Default: "false", Example: "true", Summary: "also run single tasks, such as database migrations; AWS then asks for the definition's roles in pass_roles"},
		},
		Levels: []Level{
			{Name: "service", Summary: "deploy to the named services", Needs: []string{"services"}},
			{Name: "cluster", Summary: "deploy to every service of the named clusters", Adds: "the clusters' other services, and any task definition family unless families names them", Needs: []string{"clusters"}},
			{Name: "account", Summary: "deploy to every service of the account in the region", Adds: "every other cluster"},
		},
		Unscopable: []Unscopable{
			{
				Actions: []string{"ecs:DescribeTaskDefinition"},
				Reason:  "the action knows no resource; it reads definitions of any family in the account, so secrets belong in Secrets Manager and not in their environment",
			},
			{
				Actions: []string{"ecs:ListTasks"},
				Reason:  "its only resource is a container instance, which a list by service does not name; below level account a condition bounds it to the clusters",
			},
		},
		Why: Why{
			"ecs:DescribeServiceDeployments": "aws ecs describe-service-deployments: follows one deployment and its circuit breaker",
			"ecs:DescribeServices":           "aws ecs wait services-stable, amazon-ecs-deploy-task-definition: read the service and its deployments",
			"ecs:DescribeTaskDefinition":     "aws ecs describe-task-definition: reads the revision that the next one is made from",
			"ecs:DescribeTasks":              "aws ecs describe-tasks, wait tasks-running, tasks-stopped: say why a task stopped",
			"ecs:ListServiceDeployments":     "aws ecs list-service-deployments: finds the deployment that an update began",
			"ecs:ListTasks":                  "aws ecs list-tasks: finds the tasks of the service",
			"ecs:RegisterTaskDefinition":     "aws ecs register-task-definition: makes the new revision",
			"ecs:RunTask":                    "aws ecs run-task: runs a single task such as a database migration, with run_task",
			"ecs:TagResource":                "aws ecs register-task-definition --tags, run-task --tags or --propagate-tags: with tags",
			"ecs:UpdateService":              "aws ecs update-service: points the service at the new revision",
			"iam:PassRole":                   "aws ecs register-task-definition: names the task role and the execution role",
		},
		Cases:      ecsCases,
		statements: ecsStatements,
	}
}

func ecsStatements(s Scope, level string, args Args) []iam.Statement {
	e := newECSScope(s, level, args)
	return slices.Concat(e.definitions(), e.services(), e.tasks(), e.roles())
}

// ecsScope is what one rendering of the grant reaches.
type ecsScope struct {
	Scope
	args        Args
	names       []string // of services: "CLUSTER/SERVICE", "CLUSTER/*" or "*"
	clusters    []string // nil: all
	families    []string // nil: all
	clusterARNs []string // of clusters
}

func newECSScope(s Scope, level string, args Args) *ecsScope {
	e := &ecsScope{Scope: s, args: args, families: args["families"]}
	switch level {
	case "service":
		e.names = args["services"]
		var services []string
		for _, name := range e.names {
			cluster, service, _ := strings.Cut(name, "/")
			e.clusters = append(e.clusters, cluster)
			services = append(services, service)
		}
		e.clusters = set(e.clusters)
		if e.families == nil {
			e.families = set(services)
		}
	case "cluster":
		e.clusters = args["clusters"]
		e.names = each(e.clusters, func(cluster string) string { return cluster + "/*" })
	default:
		e.names = []string{"*"}
	}
	e.clusterARNs = each(e.clusters, func(cluster string) string { return s.arn("ecs", "cluster/"+cluster) })
	return e
}

// revisions are the ARNs of every revision of the families.
func (e *ecsScope) revisions() []string {
	if e.families == nil {
		return []string{e.arn("ecs", "task-definition/*")}
	}
	return each(e.families, func(family string) string { return e.arn("ecs", "task-definition/"+family+":*") })
}

// runnable are the ARNs under which a call may name a revision to run: since
// 2024 ECS judges a call that names the family only by an ARN without one.
//
// https://github.com/aws/aws-cdk/issues/30368
func (e *ecsScope) runnable() []string {
	if e.families == nil {
		return e.revisions()
	}
	return flat(each(e.families, func(family string) string { return e.arn("ecs", "task-definition/"+family) }), e.revisions())
}

// inClusters bounds a call to the clusters.
func (e *ecsScope) inClusters() []iam.Condition {
	if e.clusters == nil {
		return nil
	}
	return []iam.Condition{when("ArnEquals", "ecs:cluster", e.clusterARNs...)}
}

func (e *ecsScope) definitions() []iam.Statement {
	out := []iam.Statement{
		allow("EcsReadDefinitions", []string{"ecs:DescribeTaskDefinition"}, everything()),
		allow("EcsRegister", []string{"ecs:RegisterTaskDefinition"}, e.revisions()),
	}
	if e.args.on("tags") {
		out = append(out, ecsTag("EcsTagDefinitions", "RegisterTaskDefinition", e.revisions()))
	}
	return out
}

func (e *ecsScope) services() []iam.Statement {
	var update []iam.Condition
	if e.families != nil {
		// UpdateService asks for no PassRole: without this bound it could run
		// any task definition of the account, and so any task's role. A call
		// that only restarts or scales the service carries no such key.
		update = append(update, when("ArnLikeIfExists", "ecs:task-definition", e.runnable()...))
	}
	service := each(e.names, func(name string) string { return e.arn("ecs", "service/"+name) })
	deployment := each(e.names, func(name string) string {
		if !strings.HasSuffix(name, "*") {
			name += "/*"
		}
		return e.arn("ecs", "service-deployment/"+name)
	})
	return []iam.Statement{
		allow("EcsUpdateService", []string{"ecs:UpdateService"}, service, update...),
		allow("EcsWatchService", []string{"ecs:DescribeServices", "ecs:ListServiceDeployments"}, service),
		allow("EcsWatchDeployment", []string{"ecs:DescribeServiceDeployments"}, flat(service, deployment)),
	}
}

func (e *ecsScope) tasks() []iam.Statement {
	tasks := []string{e.arn("ecs", "task/*")}
	if e.clusters != nil {
		tasks = each(e.clusters, func(cluster string) string { return e.arn("ecs", "task/"+cluster+"/*") })
	}
	out := []iam.Statement{
		allow("EcsListTasks", []string{"ecs:ListTasks"}, everything(), e.inClusters()...),
		allow("EcsReadTasks", []string{"ecs:DescribeTasks"}, tasks),
	}
	if e.args.on("run_task") {
		out = append(out, allow("EcsRunTask", []string{"ecs:RunTask"}, e.runnable(), e.inClusters()...))
		if e.args.on("tags") {
			out = append(out, ecsTag("EcsTagTasks", "RunTask", tasks))
		}
	}
	return out
}

// ecsTag allows tagging what a call makes, as it makes it.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
func ecsTag(sid, call string, resources []string) iam.Statement {
	return allow(sid, []string{"ecs:TagResource"}, resources, when("StringEquals", "ecs:CreateAction", call))
}

func (e *ecsScope) roles() []iam.Statement {
	if roles := e.args["pass_roles"]; len(roles) > 0 {
		return []iam.Statement{passRoles("EcsPassRoles", e.Scope, roles, "ecs-tasks")}
	}
	return nil
}

func ecsCases() []Case {
	const (
		ecs        = "arn:aws:ecs:eu-west-1:222222222222:"
		service    = ecs + "service/prod/shop"
		definition = ecs + "task-definition/shop:7"
		role       = "arn:aws:iam::222222222222:role/"
	)
	in := func(cluster string) map[string][]string {
		return map[string][]string{"ecs:cluster": {ecs + "cluster/" + cluster}}
	}
	to := func(principal string) map[string][]string {
		return map[string][]string{"iam:PassedToService": {principal}}
	}
	running := func(definition string) map[string][]string {
		return map[string][]string{"ecs:task-definition": {definition}, "ecs:cluster": {ecs + "cluster/prod"}}
	}
	onCreate := map[string][]string{"ecs:CreateAction": {"RegisterTaskDefinition"}}
	onRun := map[string][]string{"ecs:CreateAction": {"RunTask"}}

	deploy := flat(
		calls("*", nil, "ecs:DescribeTaskDefinition"),
		calls("*", in("prod"), "ecs:ListTasks"),
		calls(ecs+"task-definition/shop:*", nil, "ecs:RegisterTaskDefinition"),
		calls(service, in("prod"), "ecs:DescribeServices", "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:UpdateService"),
		calls(service, running(definition), "ecs:UpdateService"),
		calls(service, running(ecs+"task-definition/shop"), "ecs:UpdateService"),
		calls(ecs+"service-deployment/prod/shop/x1", nil, "ecs:DescribeServiceDeployments"),
		calls(ecs+"task/prod/0a1b", in("prod"), "ecs:DescribeTasks"),
		calls(role+"shop-task", to("ecs-tasks.amazonaws.com"), "iam:PassRole"),
	)
	extras := flat(
		calls(definition, onCreate, "ecs:TagResource"),
		calls(definition, in("prod"), "ecs:RunTask"),
		calls(ecs+"task/prod/0a1b", onRun, "ecs:TagResource"),
	)
	never := flat(
		calls(service, in("prod"), "ecs:CreateService", "ecs:DeleteService"),
		calls(ecs+"cluster/prod", nil, "ecs:CreateCluster", "ecs:DeleteCluster", "ecs:ExecuteCommand"),
		calls("*", nil, "ecs:DeregisterTaskDefinition"),
		calls(role+"admin", to("ecs-tasks.amazonaws.com"), "iam:PassRole"),
		calls(role+"shop-task", to("lambda.amazonaws.com"), "iam:PassRole"),
		calls(role+"shop-task", nil, "iam:PassRole"),
		calls(definition, nil, "ecs:TagResource"),
		calls(service, onCreate, "ecs:TagResource"), calls(service, onRun, "ecs:TagResource"), calls(ecs+"task/prod/0a1b", onCreate, "ecs:TagResource"),
		calls("arn:aws:ecs:eu-west-1:333333333333:service/prod/shop", nil, "ecs:UpdateService"),
		calls("arn:aws:ecs:us-east-1:222222222222:service/prod/shop", nil, "ecs:UpdateService"),
	)
	roles := []string{"shop-task"}
	all := func(more Args) Args {
		args := Args{"pass_roles": roles, "tags": {"true"}, "run_task": {"true"}}
		for k, v := range more {
			args[k] = v
		}
		return args
	}
	otherService := calls(ecs+"service/prod/web", in("prod"), "ecs:UpdateService", "ecs:DescribeServices")
	otherCluster := flat(
		calls(ecs+"service/test/shop", in("test"), "ecs:UpdateService", "ecs:DescribeServices"),
		calls("*", in("test"), "ecs:ListTasks"),
		calls(ecs+"task/test/0a1b", in("test"), "ecs:DescribeTasks"),
		calls(definition, in("test"), "ecs:RunTask"),
		calls(ecs+"task/test/0a1b", onRun, "ecs:TagResource"),
	)
	otherFamily := flat(
		calls(ecs+"task-definition/web:*", nil, "ecs:RegisterTaskDefinition"),
		calls(service, running(ecs+"task-definition/web:3"), "ecs:UpdateService"),
	)
	return flat(
		cases("", Args{"services": {"prod/shop"}, "pass_roles": roles}, deploy,
			flat(never, extras, otherService, otherCluster, otherFamily, calls("*", nil, "ecs:ListTasks"))),
		cases("", Args{"services": {"prod/shop"}}, nil,
			calls(role+"shop-task", to("ecs-tasks.amazonaws.com"), "iam:PassRole")),
		cases("service", all(Args{"services": {"prod/shop"}, "families": {"web"}}),
			flat(otherFamily, calls(ecs+"task-definition/web:3", onCreate, "ecs:TagResource"),
				calls(ecs+"task-definition/web:3", in("prod"), "ecs:RunTask"), calls(ecs+"task/prod/0a1b", onRun, "ecs:TagResource")),
			flat(never, otherService, otherCluster, calls(definition, onCreate, "ecs:TagResource"), calls(definition, in("prod"), "ecs:RunTask"))),
		cases("service", Args{"services": {"prod/shop"}, "tags": {"true"}}, calls(definition, onCreate, "ecs:TagResource"),
			calls(ecs+"task/prod/0a1b", onRun, "ecs:TagResource")),
		cases("cluster", all(Args{"clusters": {"prod"}}), flat(deploy, extras, otherService, otherFamily),
			flat(never, otherCluster)),
		cases("cluster", all(Args{"clusters": {"prod"}, "families": {"shop"}}), flat(deploy, extras, otherService),
			flat(never, otherCluster, otherFamily)),
		cases("account", all(nil), flat(deploy, extras, otherService, otherCluster, otherFamily), never),
	)
}
