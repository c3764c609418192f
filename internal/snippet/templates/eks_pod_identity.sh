[[- /*
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html
https://docs.aws.amazon.com/cli/latest/reference/eks/create-pod-identity-association.html
*/ -]]
# [[.Header]]
# The cluster needs the add-on eks-pod-identity-agent. Pods that run already get
# the role when they start anew. Leave session tags on: they say which pod it is,
# and the trust policy asks for them.
aws eks create-pod-identity-association \
  --region [[.Home]] \
  --cluster-name [[sh .Cluster]] \
  --namespace [[sh .ID.Namespace]] \
  --service-account [[sh .ID.ServiceAccount]] \
  --role-arn [[sh .RoleARN]]
