// Answers rows of `postern explain --batch` with @cloud-copilot/iam-simulate:
// a row a line on stdin, {"id", "decision", "ignored"} or {"id", "error"} a
// line on stdout, in order. Run with NODE_PATH at its node_modules.
'use strict'
const readline = require('node:readline')
const { runSimulation } = require('@cloud-copilot/iam-simulate')

const decisions = {
  Allowed: 'allowed',
  ImplicitlyDenied: 'implicitly_denied',
  ExplicitlyDenied: 'explicitly_denied',
}

const named = (policies, name) => (policies ?? []).map((policy, i) => ({ name: `${name}${i}`, policy }))

const levels = (list, name) =>
  (list ?? []).map((policies, i) => ({ orgIdentifier: `${name}${i}`, policies: named(policies, `${name}${i}-`) }))

function simulation(row) {
  const r = row.request
  return {
    request: {
      principal: typeof r.principal === 'string' ? r.principal : { type: 'Anonymous' },
      action: r.action,
      resource: { resource: r.resource, accountId: r.resource_account },
      contextVariables: r.context ?? {},
    },
    identityPolicies: named(row.identity_policies, 'identity'),
    sessionPolicy: row.session_policies?.[0],
    permissionBoundaryPolicies: row.permissions_boundaries && named(row.permissions_boundaries, 'boundary'),
    serviceControlPolicies: levels(row.scp_levels, 'scp'),
    resourceControlPolicies: levels(row.rcp_levels, 'rcp'),
    resourcePolicy: row.resource_policy,
    vpcEndpointPolicies: row.vpc_endpoint_policies && named(row.vpc_endpoint_policies, 'endpoint'),
  }
}

async function answer(line) {
  const row = JSON.parse(line)
  try {
    const got = await runSimulation(simulation(row), { simulationMode: 'Strict' })
    if (got.resultType === 'error') return { id: row.id, error: JSON.stringify(got.errors) }
    return { id: row.id, decision: decisions[got.overallResult], ignored: got.result?.ignoredContextKeys ?? [] }
  } catch (e) {
    return { id: row.id, error: String(e) }
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(line)) + '\n')
  }
}

main()
