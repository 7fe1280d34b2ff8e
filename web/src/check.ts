import { mount } from 'svelte';
import './app.css';
import CheckPage from './check/CheckPage.svelte';

mount(CheckPage, { target: document.body });
