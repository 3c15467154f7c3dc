import { Module } from '@nestjs/common';
import { AttacksModule } from '../attacks/attacks.module.js';
import { LoginModule } from '../login/login.module.js';
import { PagesModule } from '../pages/pages.module.js';
import { MatrixController } from './matrix.controller.js';
import { MatrixCallers } from './matrix-callers.js';
import { TokenMatrix } from './token-matrix.js';

@Module({
  imports: [AttacksModule, LoginModule, PagesModule],
  controllers: [MatrixController],
  providers: [MatrixCallers, TokenMatrix],
})
export class MatrixModule {}
