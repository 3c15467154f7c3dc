import { Module } from '@nestjs/common';
import { AssetsController } from './assets.controller.js';
import { NotFoundPage } from './not-found-page.js';
import { Pages } from './pages.js';

@Module({ controllers: [AssetsController], providers: [NotFoundPage, Pages], exports: [Pages] })
export class PagesModule {}
