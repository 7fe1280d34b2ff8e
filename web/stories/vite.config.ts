// The stories: the call's components with people made of paint, to look at without a server. Never built or shipped.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  server: { fs: { allow: ['..'] } },
});
