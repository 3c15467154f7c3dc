/** ShowAgainDto: the token to show again, and the service to show it to. */
import { IsString, IsUUID } from 'class-validator';

export class ShowAgainDto {
  @IsUUID()
  readonly id!: string;

  /** A client id. */
  @IsString()
  readonly service!: string;
}
