// What others make of our passes: reads those in FOLDER with @walletpass/pass-js, which checks each
// field as it reads, and makes one of the same parts with passkit-generator for our own preflight.
// Usage: node passes.mjs NODE_MODULES FOLDER
import { createRequire } from "node:module";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, work] = process.argv.slice(2);
const require = createRequire(join(folder, "witness.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Template } = await load("@walletpass/pass-js");
const kit = await load("passkit-generator");
const { PKPass } = kit.PKPass ? kit : kit.default;

const read = {};
for (const file of readdirSync(work).filter((name) => name.endsWith(".pkpass"))) {
  const found = await Template.fromBuffer(readFileSync(join(work, file)));
  const seen = JSON.parse(JSON.stringify(found));
  read[file] = {
    style: found.style,
    passTypeIdentifier: found.passTypeIdentifier,
    teamIdentifier: found.teamIdentifier,
    images: found.images.size,
    languages: [...found.localization.keys()].sort(),
    organizationName: seen.organizationName,
  };
}

const parts = {};
for (const name of JSON.parse(readFileSync(join(work, "parts.json")))) {
  parts[name] = readFileSync(join(work, "parts", name.replace("/", "__")));
}
const made = new PKPass(parts, {
  wwdr: readFileSync(join(work, "wwdr.pem")),
  signerCert: readFileSync(join(work, "signer.pem")),
  signerKey: readFileSync(join(work, "key.pem")),
});
writeFileSync(join(work, "theirs.bin"), made.getAsBuffer());
process.stdout.write(JSON.stringify(read));
