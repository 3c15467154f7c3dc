import { Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { RequestTracer, type RequestTraceOptions } from './request-tracer.js';

const OPTIONS = Symbol('service-defaults:request-trace-options');

@Module({})
export class RequestTraceModule {
  static forRootAsync(options: Pick<FactoryProvider<RequestTraceOptions>, 'inject' | 'useFactory'>): DynamicModule {
    return {
      module: RequestTraceModule,
      providers: [
        { provide: OPTIONS, ...options },
        {
          provide: RequestTracer,
          inject: [OPTIONS, HttpAdapterHost],
          useFactory: (given: RequestTraceOptions, host: HttpAdapterHost<FastifyAdapter>) =>
            new RequestTracer(given, host),
        },
      ],
      exports: [RequestTracer],
    };
  }
}
