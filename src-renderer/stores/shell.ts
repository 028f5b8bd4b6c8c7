/** What the frame around every view shows over it: the jobs drawer and the list of shortcuts. */
import { defineStore } from 'pinia';
import { ref } from 'vue';

export const useShell = defineStore('shell', () => ({ jobsShown: ref(false), shortcutsShown: ref(false) }));
