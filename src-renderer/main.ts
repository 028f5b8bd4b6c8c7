/** Starts the workbench in its page: the same in an Electron window and in a browser. */
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { dropToken } from './api/session.ts';
import App from './App.vue';
import { i18n } from './locales/locale.ts';
import { createWorkbenchRouter } from './router.ts';
import { useSettings } from './stores/settings.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/print.css';

dropToken();
const app = createApp(App).use(createPinia()).use(i18n).use(createWorkbenchRouter());
useSettings();
app.mount('#workbench');
