/** ShowAgainDto: which token is to be shown to which service once more. */
import { IsString, IsUUID } from 'class-validator';

export class ShowAgainDto {
  /** As the row had it. */
  @IsUUID()
  readonly id!: string;

  /** A client id. */
  @IsString()
  readonly service!: string;
}
