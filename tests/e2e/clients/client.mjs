// Sends one request with an npm SDK: node client.mjs NODE_MODULES PACKAGE plain|stream|helper BASE_URL BODY
// Prints {"objects": [...]} with the objects that the SDK returns, or {"threw": "..."} if it throws an error.
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, name, mode, baseURL, body] = process.argv.slice(2)
const say = (said) => {
  process.stdout.write(JSON.stringify(said).replace(/[\u007f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')))
}
const threw = (error) => {
  say({ threw: `${error?.constructor?.name}: ${error?.message}` })
  process.exit(0)
}
process.on('unhandledRejection', threw)

try {
  const resolved = createRequire(path.join(modules, '..', 'x.js')).resolve(name)
  const Client = (await import(pathToFileURL(resolved).href)).default
  const completions = new Client({ baseURL, apiKey: 'none', maxRetries: 0, timeout: 20000 }).chat.completions
  const asked = JSON.parse(body)
  const objects = []
  if (mode === 'plain') objects.push(await completions.create(asked))
  if (mode === 'stream') for await (const chunk of await completions.create({ ...asked, stream: true })) objects.push(chunk)
  if (mode === 'helper') objects.push(await completions.stream(asked).finalChatCompletion())
  say({ objects })
} catch (error) {
  threw(error)
}
