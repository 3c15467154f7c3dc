import { Module } from '@nestjs/common';
import { AttacksModule } from '../attacks/attacks.module.js';
import { LoginModule } from '../login/login.module.js';
import { PagesModule } from '../pages/pages.module.js';
import { WatchController } from './watch.controller.js';
import { Watches } from './watches.js';

@Module({ imports: [AttacksModule, LoginModule, PagesModule], controllers: [WatchController], providers: [Watches] })
export class WatchModule {}
