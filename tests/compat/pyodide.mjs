// Run the portable tests in Pyodide: node pyodide.mjs REPOSITORY, with the package `pyodide` in node_modules.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const find = createRequire(process.cwd() + "/");
const { loadPyodide } = await import(pathToFileURL(find.resolve("pyodide/pyodide.mjs")));
const python = await loadPyodide();
python.FS.mkdirTree("/repository");
python.FS.mount(python.FS.filesystems.NODEFS, { root: process.argv[2] }, "/repository");
const status = python.runPython(`
import sys
sys.path.insert(0, "/repository/tests/portable")
import run
print("CPython", sys.version.split()[0], sys.platform)
run.main(["/repository", "/repository/adapters"])
`);
process.exit(status);
