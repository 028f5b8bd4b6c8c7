/** What the frame around every view shows over it: the jobs drawer, the command palette and the list of shortcuts. */
import { defineStore } from 'pinia';
import { ref } from 'vue';

export const useShell = defineStore('shell', () => ({ jobsShown: ref(false), paletteShown: ref(false), shortcutsShown: ref(false) }));
