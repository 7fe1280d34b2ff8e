import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  plugins: [svelte(), gzipped()],
  build: {
    // Everything but index.html is a file whose name holds its hash: the server lets browsers keep those for ever,
    // and its content security policy allows no inline code or style.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: ['index.html', 'check.html'] },
  },
});

/** Writes a .gz beside each text asset, so that the server has nothing to compress. */
function gzipped(): Plugin {
  return {
    name: 'gzipped',
    apply: 'build',
    generateBundle: {
      order: 'post',
      async handler(_, bundle) {
        for (const [fileName, file] of Object.entries(bundle)) {
          if (!/^assets\/.*\.(js|css|svg)$/.test(fileName)) continue;
          const content = file.type === 'chunk' ? file.code : (file.source as BlobPart);
          const packed = new Blob([content]).stream().pipeThrough(new CompressionStream('gzip'));
          const source = new Uint8Array(await new Response(packed).arrayBuffer());
          this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source });
        }
      },
    },
  };
}
