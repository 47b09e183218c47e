// node validate.js SCHEMA FILE… prints "yes FILE", or "no FILE: why", of each YAML file.
const fs = require('fs');
const Ajv = require('ajv/dist/2020');
const yaml = require('yaml');

const [schema, ...files] = process.argv.slice(2);
const valid = new Ajv({strict: false, allErrors: false}).compile(JSON.parse(fs.readFileSync(schema)));
for (const file of files) {
  const ok = valid(yaml.parse(fs.readFileSync(file, 'utf8')));
  console.log(ok ? `yes ${file}` : `no ${file}: ${valid.errors[0].instancePath} ${valid.errors[0].message}`);
}
