/** ShowAgainDto: which token is to be shown to which service once more. */
import { IsOptional, IsString, IsUUID } from 'class-validator';
import { CSRF_FIELD } from '../login/csrf.guard.js';

export class ShowAgainDto {
  /** As the row had it. */
  @IsUUID()
  readonly id!: string;

  /** A client id. */
  @IsString()
  readonly service!: string;

  /** Read by the guard. */
  @IsOptional()
  @IsString()
  readonly [CSRF_FIELD]?: string;
}
