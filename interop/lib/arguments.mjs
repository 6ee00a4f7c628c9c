// Makes arguments that fit a tool's input schema, so that any sample tool can be called.

export function sampleArguments(schema) {
  const out = {};
  for (const name of schema?.required ?? []) out[name] = sample(schema.properties?.[name] ?? {});
  return out;
}

function sample(schema) {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum?.length) return schema.enum[0];
  if (schema.examples?.length) return schema.examples[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'array':
      return schema.minItems ? Array.from({ length: schema.minItems }, () => sample(schema.items ?? {})) : [];
    case 'object':
      return sampleArguments(schema);
    default:
      return 'sample'.padEnd(schema.minLength ?? 0, 'x');
  }
}
