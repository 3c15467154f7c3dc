import { IsOptional, IsString, IsUUID } from 'class-validator';
import { CSRF_FIELD } from '../login/csrf.guard.js';

export class ShowAgainDto {
  @IsUUID()
  readonly id!: string;

  @IsString()
  readonly service!: string;

  @IsOptional()
  @IsString()
  readonly [CSRF_FIELD]?: string;
}
