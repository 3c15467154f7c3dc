/** PagesModule: the templates, for every part of Service A that shows a page. */
import { Module } from '@nestjs/common';
import { Pages } from './pages.js';

@Module({ providers: [Pages], exports: [Pages] })
export class PagesModule {}
