// Unpacks the Chromium of the npm package into the folder named on the command line.
// Called by tests/tools. The package's own way would unpack it into /tmp, for everyone to share.
import { copyFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflate } from '@sparticuz/chromium';

const target = process.argv[2];
process.env.TMPDIR = target; // where inflate() puts what it unpacks

const here = dirname(fileURLToPath(import.meta.url));
const packed = join(here, 'node_modules/@sparticuz/chromium/bin');
await inflate(join(packed, 'chromium.br')); // -> chromium
await inflate(join(packed, 'fonts.tar.br')); // -> fonts/fonts/Open_Sans
await inflate(join(packed, 'al2023.tar.br')); // -> al2023/lib: NSS, NSPR and expat, its only needs past libc

// Open Sans has neither a monospaced face nor arrows and check marks.
const dejavu = join(here, 'node_modules/dejavu-fonts-ttf/ttf');
for (const face of readdirSync(dejavu)) {
  if (/^DejaVu(Sans|SansMono|Serif)(-\w+)?\.ttf$/.test(face)) {
    copyFileSync(join(dejavu, face), join(target, 'fonts', face));
  }
}
copyFileSync(join(here, 'fonts.conf'), join(target, 'fonts.conf'));
