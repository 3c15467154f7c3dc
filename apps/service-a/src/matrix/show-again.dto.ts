import { IsOptional, IsString, MaxLength } from 'class-validator';
import { MAX_SEALED_LENGTH } from 'demo';
import { CSRF_FIELD } from '../login/csrf.guard.js';

export class ShowAgainDto {
  @IsString()
  @MaxLength(MAX_SEALED_LENGTH)
  readonly id!: string;

  @IsString()
  readonly service!: string;

  @IsOptional()
  @IsString()
  readonly [CSRF_FIELD]?: string;
}
