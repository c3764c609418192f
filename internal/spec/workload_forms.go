package spec

import "github.com/postern-dev/postern/internal/trust"

// textMap is a map from keys of the user's choice to text.
func textMap() form[map[string]string] {
	return mapped(anyKeys(text()), func(pairs []pair[string]) map[string]string {
		all := map[string]string{}
		for _, p := range pairs {
			all[p.Key] = p.V
		}
		return all
	})
}

func kubernetesForm() form[rawProof] {
	type raw = rawOf[trust.Kubernetes]
	return proof(object(
		key("issuer", text(), func(s *raw) *string { return &s.V.Issuer }, "the cluster's issuer: https://oidc.eks.REGION.amazonaws.com/id/ID").must(),
		key("namespace", text(), func(s *raw) *string { return &s.V.Namespace }, "the namespace").must(),
		key("service_account", text(), func(s *raw) *string { return &s.V.ServiceAccount }, "the service account").must(),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "aud of the projected token; default sts.amazonaws.com"),
	))
}

func eksPodIdentityForm() form[rawProof] {
	type raw = rawOf[trust.EKSPodIdentity]
	return proof(object(
		key("cluster_arn", text(), func(s *raw) *string { return &s.V.ClusterARN }, "arn:aws:eks:REGION:ACCOUNT:cluster/NAME").must(),
		key("namespace", text(), func(s *raw) *string { return &s.V.Namespace }, "the namespace").must(),
		key("service_account", text(), func(s *raw) *string { return &s.V.ServiceAccount }, "the service account").must(),
	))
}

func oidcForm() form[rawProof] {
	type raw = rawOf[trust.OIDC]
	return proof(object(
		key("issuer", text(), func(s *raw) *string { return &s.V.Issuer }, "the address of the issuer, as in iss").must(),
		key("audience", text(), func(s *raw) *string { return &s.V.Audience }, "the tokens' aud").must(),
		key("subject", text(), func(s *raw) *string { return &s.V.Subject }, "the tokens' sub, compared exactly").must(),
		key("claims", textMap(), func(s *raw) *map[string]string { return &s.V.Claims }, "further claims, compared exactly; AWS has keys for those of a few issuers only"),
	))
}

func rolesAnywhereForm() form[rawProof] {
	type raw = rawOf[trust.RolesAnywhere]
	return proof(object(
		key("trust_anchor", text(), func(s *raw) *string { return &s.V.TrustAnchor }, "the trust anchor's ARN: its CA must have signed the certificate").must(),
		key("common_name", text(), func(s *raw) *string { return &s.V.CommonName }, "CN of the certificate"),
		key("organizational_unit", text(), func(s *raw) *string { return &s.V.OrganizationalUnit }, "OU of the certificate"),
		key("organization", text(), func(s *raw) *string { return &s.V.Organization }, "O of the certificate"),
		key("issuer_common_name", text(), func(s *raw) *string { return &s.V.IssuerCommonName }, "CN of the certificate's issuer"),
		key("uri", text(), func(s *raw) *string { return &s.V.URI }, "URI among the subject alternative names, such as a SPIFFE id"),
		key("dns", text(), func(s *raw) *string { return &s.V.DNS }, "host name among the subject alternative names"),
	))
}
